#include <filesystem>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/safetensors.hpp"
#include "catch.hpp"
#include "naive_model.hpp"

using namespace assay;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, removed at the end.
struct Folder {
  fs::path path;
  explicit Folder(const std::string& name) : path(fs::temp_directory_path() / ("assay_" + name)) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

Transformer sample_model() {
  return naive::random_model(PosKind::relative, ActFn::relu, NormKind::layer_norm, true, 3, false,
                             5);
}

const char* kConfig =
    R"("n_layers":1,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_vocab":5,"act_fn":"relu")";

TransformerConfig parse(const std::string& more) {
  return parse_config(std::string("{") + kConfig + more + "}", "config.json");
}

}  // namespace

TEST_CASE("a saved model loads as it was, and saves to the same bytes") {
  const Folder folder("model_round_trip");
  for (const auto positions :
       {PosKind::standard, PosKind::relative, PosKind::rotary, PosKind::none}) {
    for (const bool affine : {true, false}) {
      for (const bool attn_only : {true, false}) {
        const Transformer model = naive::random_model(
            positions, ActFn::gelu_tanh, NormKind::layer_norm, affine, 0, attn_only, 6);
        save_transformer(folder.path / "a", model);
        const Transformer loaded = load_transformer(folder.path / "a");
        REQUIRE(loaded.config.norm_affine == affine);
        save_transformer(folder.path / "b", loaded);
        for (const char* file : {"config.json", "model.safetensors"}) {
          REQUIRE(read_file(folder.path / "a" / file) == read_file(folder.path / "b" / file));
        }
        const std::vector<TokenId> tokens = {TokenId(3), TokenId(1), TokenId(4)};
        REQUIRE(forward(loaded, tokens).logits.data == forward(model, tokens).logits.data);
        REQUIRE(loaded.weights_digest == sha256_file(folder.path / "a" / "model.safetensors"));
        REQUIRE(loaded.config_digest == sha256_file(folder.path / "a" / "config.json"));
      }
    }
  }
}

TEST_CASE("an absent bias is zero, a buffer is ignored, any other tensor is refused") {
  const Folder folder("model_tensors");
  save_transformer(folder.path, sample_model());
  const fs::path weights = folder.path / "model.safetensors";
  const SafetensorsFile original = read_safetensors(weights);
  const auto load_with = [&](const auto& change) {
    SafetensorsFile file = original;
    change(file);
    write_safetensors(weights, file);
    return load_transformer(folder.path);
  };
  const auto no_bias = load_with([](auto& f) { f.floats.erase("blocks.0.attn.b_Q"); });
  REQUIRE(no_bias.b_Q.data == std::vector<float>(12, 0.0F));
  REQUIRE_NOTHROW(load_with([](auto& f) {
    f.floats["blocks.0.attn.IGNORE"] = {{}, {-INFINITY}};
    f.integers["blocks.0.attn.mask"] = {1};
    f.integer_shapes["blocks.0.attn.mask"] = {1, 1};
  }));
  REQUIRE_THROWS_AS(load_with([](auto& f) { f.floats["extra"] = zeros({1}); }), InputError);
  REQUIRE_THROWS_AS(load_with([](auto& f) { f.floats.erase("embed.W_E"); }), InputError);
  REQUIRE_THROWS_AS(load_with([](auto& f) { f.floats.erase("blocks.0.ln1.w"); }), InputError);
  REQUIRE_THROWS_AS(load_with([](auto& f) {
                      f.floats["unembed.W_U"].shape = {10, 7};
                    }),
                    InputError);
  REQUIRE_THROWS_WITH(load_with([](auto& f) { f.floats["unembed.b_U"].data[2] = NAN; }),
                      Catch::Contains("unembed.b_U element 2"));
}

TEST_CASE("config defaults follow TransformerLens") {
  const auto config = parse(R"(,"unknown_key":[1,2],"seed":3)");
  REQUIRE(config.d_mlp == 16);
  REQUIRE(config.d_vocab_out == 5);
  REQUIRE(config.norm == NormKind::layer_norm);
  REQUIRE(config.positions == PosKind::standard);
  REQUIRE(config.attn_scale == std::sqrt(2.0));
  REQUIRE(config.attention_window == 0);
  REQUIRE_FALSE(config.bos);
  const auto ours = parse(
      R"(,"normalization_type":null,"relative_bias":true,"attention_window":4,"bos":2,"attn_scale":1)");
  REQUIRE(ours.norm == NormKind::none);
  REQUIRE(ours.positions == PosKind::relative);
  Transformer model;
  model.config = ours;
  REQUIRE(model.keys_seen(0) == 1);
  REQUIRE(model.keys_seen(9) == 4);
  REQUIRE(ours.bos == 2);
  REQUIRE(ours.attn_scale == 1);
}

TEST_CASE("a config that asks for another function is refused by name") {
  for (const char* more : {R"(,"n_ctx":true)",
                           R"(,"parallel_attn_mlp":true)",
                           R"(,"gated_mlp":true)",
                           R"(,"normalization_type":"RMS")",
                           R"(,"positional_embedding_type":"alibi")",
                           R"(,"attention_dir":"bidirectional")",
                           R"(,"attention_window":0)",
                           R"(,"attention_window":9)",
                           R"(,"attention_window":true)",
                           R"(,"attention_window":2.5)",
                           R"(,"relative_bias":1)",
                           R"(,"eps":0)",
                           R"(,"eps":-1)",
                           R"(,"eps":1e400)",
                           R"(,"attn_scale":0)",
                           R"(,"bos":5)",
                           R"(,"d_mlp":0)",
                           R"(,"d_mlp":-3)",
                           R"(,"d_vocab_out":99999999999999999999)",
                           R"(,"n_key_value_heads":1)",
                           R"(,"positional_embedding_type":"relative_bias","relative_bias":false)",
                           R"(,"positional_embedding_type":"rotary","rotary_dim":3)",
                           R"(,"d_model":4)"}) {
    INFO(more);
    REQUIRE_THROWS_AS(parse(more), InputError);
  }
  REQUIRE_THROWS_WITH(
      parse_config(R"({"n_layers":2,"d_model":4})", "c.json"),
      Catch::Contains("n_layers") && Catch::Contains("c.json") && Catch::Contains("2"));
}
