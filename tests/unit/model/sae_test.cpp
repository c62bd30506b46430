#include <cmath>
#include <filesystem>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/safetensors.hpp"
#include "catch.hpp"
#include "naive_model.hpp"

using namespace assay;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::temp_directory_path() / "assay_sae_test";

Sae sample_sae(const std::string& architecture) {
  Random random(11);
  const bool transcoder = architecture.find("transcoder") != std::string::npos;
  Sae sae;
  sae.architecture = architecture;
  sae.apply_b_dec_to_input = !transcoder;
  sae.hook_name = transcoder ? kHookResidMid : kHookMlpPost;
  sae.hook_name_out = transcoder ? kHookMlpOut : kHookMlpPost;
  sae.d_in = 5;
  sae.d_sae = 8;
  sae.d_out = transcoder ? 3 : 5;
  sae.W_enc = naive::random_tensor(random, {5, 8}, 1);
  sae.b_enc = naive::random_tensor(random, {8}, 1);
  sae.W_dec = naive::random_tensor(random, {8, sae.d_out}, 1);
  sae.b_dec = naive::random_tensor(random, {sae.d_out}, 1);
  sae.threshold = zeros({8});
  sae.k = architecture == "topk" ? 3 : 0;
  if (architecture.find("jumprelu") != std::string::npos) {
    for (float& x : sae.threshold.data) {
      x = 0.25F;
    }
  }
  return sae;
}

constexpr const char* kArchitectures[] = {"standard", "jumprelu", "topk", "transcoder",
                                          "jumprelu_transcoder"};

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a saved dictionary loads as it was, and saves to the same bytes") {
  for (const char* architecture : kArchitectures) {
    const Sae sae = sample_sae(architecture);
    fs::remove_all(kFolder);
    save_sae(kFolder / "a", sae);
    const Sae loaded = load_sae(kFolder / "a");
    save_sae(kFolder / "b", loaded);
    for (const char* file : {"cfg.json", "sae_weights.safetensors"}) {
      REQUIRE(read_file(kFolder / "a" / file) == read_file(kFolder / "b" / file));
    }
    REQUIRE(loaded.W_dec.data == sae.W_dec.data);
    REQUIRE(loaded.threshold.data == sae.threshold.data);
    REQUIRE(loaded.is_transcoder() == sae.is_transcoder());
    REQUIRE(loaded.weights_digest == sha256_file(kFolder / "a" / "sae_weights.safetensors"));
  }
}

TEST_CASE("encoding and decoding follow the equations, scalar by scalar") {
  for (const char* architecture : kArchitectures) {
    const Sae sae = sample_sae(architecture);
    Random random(3);
    Matrix x{6, 5, std::vector<double>(30)};
    for (double& v : x.data) {
      v = 4 * random.unit() - 2;
    }
    const Matrix pre = pre_activations(sae, x);
    Matrix features = pre;
    apply_activation(sae, features);
    const Matrix y = decode(sae, features);
    REQUIRE(y.cols == sae.d_out);
    for (std::size_t n = 0; n < x.rows; ++n) {
      for (std::size_t j = 0; j < 8; ++j) {
        double z = double{sae.b_enc.data[j]};
        for (std::size_t i = 0; i < 5; ++i) {
          const double shift = sae.apply_b_dec_to_input ? double{sae.b_dec.data[i]} : 0.0;
          z += (x.at(n, i) - shift) * double{sae.W_enc.at(i, j)};
        }
        REQUIRE(pre.at(n, j) == Approx(z).margin(1e-12));
        // topk: those that fewer than k others beat, above 0.
        std::size_t larger = 0;
        for (std::size_t i = 0; i < 8; ++i) {
          larger += pre.at(n, i) > pre.at(n, j) ? 1 : 0;
        }
        const bool is_kept = !sae.is_top_k() || larger < sae.k;
        const double on = double{sae.threshold.data[j]};
        REQUIRE(features.at(n, j) == (is_kept && pre.at(n, j) > on ? pre.at(n, j) : 0.0));
      }
      for (std::size_t i = 0; i < sae.d_out; ++i) {
        double sum = double{sae.b_dec.data[i]};
        for (std::size_t j = 0; j < 8; ++j) {
          sum += features.at(n, j) * double{sae.W_dec.at(j, i)};
        }
        REQUIRE(y.at(n, i) == Approx(sum).margin(1e-12));
      }
    }
  }
}

TEST_CASE("a feature exactly at its threshold is off") {
  const Sae sae = sample_sae("jumprelu");
  Matrix pre{1, 8, {0.25, std::nextafter(0.25, 1.0), 0.2, -1, 0, 0.3, 7, 0.25}};
  apply_activation(sae, pre);
  REQUIRE(pre.data == std::vector<double>{0, std::nextafter(0.25, 1.0), 0, 0, 0, 0.3, 7, 0});
}

TEST_CASE("topk keeps the k largest, then those above 0; a tie goes to the lower index") {
  const Sae sae = sample_sae("topk");
  const auto kept = [&](const std::vector<double>& row) {
    Matrix pre{1, 8, row};
    apply_activation(sae, pre);
    return pre.data;
  };
  REQUIRE(kept({1, 5, 2, 7, 3, -1, 0, 4}) == std::vector<double>{0, 5, 0, 7, 0, 0, 0, 4});
  REQUIRE(kept({1, 5, 5, 7, 5, 5, 0, 4}) == std::vector<double>{0, 5, 5, 7, 0, 0, 0, 0});
  REQUIRE(kept({-1, -5, -2, 7, -3, -1, -9, 4}) == std::vector<double>{0, 0, 0, 7, 0, 0, 0, 4});
  REQUIRE(kept({-1, -5, -2, -7, -3, -1, -9, -4}) == std::vector<double>(8, 0.0));
  REQUIRE_THROWS_AS(need_thresholds(sae), InputError);
  REQUIRE_NOTHROW(need_thresholds(sample_sae("jumprelu")));
  fs::remove_all(kFolder);
  save_sae(kFolder, sae);
  const std::string cfg = read_file(kFolder / "cfg.json");
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"\"k\": 3", "\"k\": 0"},
           {"\"k\": 3", "\"k\": 9"},
           {"\"k\": 3", "\"k\": -3"},
           {"\"k\": 3", "\"k\": 3.5"},
           {"\"k\": 3", "\"kk\": 3"},
           {"\"rescale_acts_by_decoder_norm\": false", "\"rescale_acts_by_decoder_norm\": true"}}) {
    INFO(to);
    write_file_atomic(kFolder / "cfg.json", replace(cfg, from, to));
    REQUIRE_THROWS_AS(load_sae(kFolder), InputError);
  }
  fs::remove_all(kFolder);
}

TEST_CASE("a dictionary that cannot be read exactly is refused") {
  fs::remove_all(kFolder);
  save_sae(kFolder, sample_sae("jumprelu"));
  const std::string cfg = read_file(kFolder / "cfg.json");
  REQUIRE_NOTHROW(load_sae(kFolder));
  const std::pair<const char*, const char*> changes[] = {
      {"\"jumprelu\"", "\"topk\""},
      {"\"jumprelu\"", "\"gated\""},
      {"\"jumprelu\"", "\"standard\""},
      {"\"normalize_activations\": \"none\"",
       "\"normalize_activations\": \"expected_average_only_in\""},
      {"\"reshape_activations\": \"none\"", "\"reshape_activations\": \"hook_z\""},
      {"\"6.18.0\"", "\"5.3.0\""},
      {"\"sae_lens_version\"", "\"version\""},
      {"\"metadata\"", "\"meta\""},
      {"\"d_sae\": 8", "\"d_sae\": 9"},
      {"\"d_sae\": 8", "\"d_sae\": true"},
      {"\"d_in\": 5", "\"d_in\": 5, \"d_in\": 5"},
      {"\"d_in\": 5", "\"d_in\": 5, \"d_out\": 4"},
      {"\"d_in\": 5", "\"d_in\": 5, \"finetuning_scaling_factor\": true"},
      {"\"hook_name\"", "\"hook_head_index\": 1, \"hook_name\""}};
  for (const auto& [from, to] : changes) {
    INFO(to);
    write_file_atomic(kFolder / "cfg.json", replace(cfg, from, to));
    REQUIRE_THROWS_AS(load_sae(kFolder), InputError);
  }
  write_file_atomic(kFolder / "cfg.json", cfg);
  const fs::path weights = kFolder / "sae_weights.safetensors";
  const SafetensorsFile original = read_safetensors(weights);
  const auto refused = [&](const auto& change) {
    SafetensorsFile file = original;
    change(file.floats);
    write_safetensors(weights, file);
    REQUIRE_THROWS_AS(load_sae(kFolder), InputError);
  };
  refused([](NamedTensors& t) { t["threshold"].data[3] = -0.5F; });
  refused([](NamedTensors& t) { t["threshold"].data[3] = INFINITY; });
  refused([](NamedTensors& t) { t["W_enc"].data[3] = NAN; });
  refused([](NamedTensors& t) { t["W_enc"].shape = {8, 5}; });
  refused([](NamedTensors& t) { t.erase("b_dec"); });
  refused([](NamedTensors& t) { t["scaling_factor"] = zeros({8}); });
  REQUIRE_THROWS_AS(pre_activations(sample_sae("standard"), Matrix{1, 4, {1, 2, 3, 4}}),
                    InputError);
  fs::remove_all(kFolder);
}
