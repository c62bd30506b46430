#include <filesystem>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/model/forward.hpp"
#include "catch.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

Tensor random_tensor(std::vector<std::size_t> shape, double size, Random& random) {
  Tensor t = zeros(std::move(shape));
  for (float& v : t.data) {
    v = static_cast<float>(size * gauss(random));
  }
  return t;
}

constexpr std::size_t kModel = 6;

Transformer tiny_model() {
  Random random(17);
  const std::size_t d = kModel, heads = 2, head = 3, mlp = 8, v = 256, window = 4;
  Transformer m;
  m.config.d_model = d;
  m.config.n_ctx = 48;
  m.config.d_head = head;
  m.config.n_heads = heads;
  m.config.d_mlp = mlp;
  m.config.d_vocab = m.config.d_vocab_out = v;
  m.config.attention_window = window;
  m.config.relative_bias = true;
  m.config.attn_scale = std::sqrt(3.0);
  m.W_E = random_tensor({v, d}, 1.0, random);
  for (std::size_t t = '0'; t <= '9'; ++t) {
    m.W_E.data[t * d] += 2.0F;
  }
  for (Tensor* w : {&m.W_Q, &m.W_K, &m.W_V}) {
    *w = random_tensor({heads, d, head}, 0.3, random);
  }
  m.W_O = random_tensor({heads, head, d}, 0.4, random);
  m.b_Q = m.b_K = m.b_V = zeros({heads, head});
  m.b_O = m.b_out = zeros({d});
  m.rel_bias = random_tensor({heads, window}, 0.3, random);
  m.W_in = random_tensor({d, mlp}, 0.4, random);
  m.b_in = zeros({mlp});
  m.W_out = random_tensor({mlp, d}, 0.4, random);
  m.W_U = random_tensor({d, v}, 0.3, random);
  m.b_U = zeros({v});
  return m;
}

std::vector<Document> documents(std::size_t count) {
  Random random(5);
  std::vector<Document> out;
  for (std::size_t i = 0; i < count; ++i) {
    Document document{"d", ""};
    document.name += std::to_string(i);
    while (document.text.size() < 300) {
      document.text +=
          static_cast<char>(random.below(4) == 0 ? '0' + random.below(10) : 'a' + random.below(26));
    }
    out.push_back(document);
  }
  return out;
}

const std::string& bytes_of(const EraseResult& result, const std::string& name) {
  for (const auto& [file, bytes] : result.files) {
    if (file == name) {
      return bytes;
    }
  }
  throw std::runtime_error(name);
}

}  // namespace

TEST_CASE("a run leaves the same bytes twice, and its files read back") {
  set_progress(false);
  const Transformer model = tiny_model();
  const Tokenizer tokenizer = Tokenizer::bytes();
  const auto text = documents(60);
  const EraseInput input{model, tokenizer, text, make_concept("digit"), kHookResidMid, 2500};
  const EraseResult a = run_erasure(input);
  const EraseResult b = run_erasure(input);
  REQUIRE(a.files == b.files);
  REQUIRE(a.logistic.before.auc > 0.8);
  REQUIRE(a.logistic.after.auc < 0.62);
  REQUIRE(a.on_fit.residual.r2 < 0.01);
  REQUIRE(a.on_calibration.residual.r2 < 0.02);
  REQUIRE(a.cost.tokens > 1000);
  REQUIRE(a.cost.erased != a.cost.clean);
  REQUIRE(a.on_fit.data_digest == sha256(bytes_of(a, "fit.safetensors")));

  const auto dir = std::filesystem::temp_directory_path() / "assay_erase_run_test";
  std::filesystem::remove_all(dir);
  write_erasure(a, dir);
  const Eraser read = load_eraser(dir).eraser;
  REQUIRE(read.proj_left == a.fit.eraser.proj_left);
  REQUIRE(read.proj_right == a.fit.eraser.proj_right);
  REQUIRE(read.bias == a.fit.eraser.bias);
  REQUIRE(read.grid_bits == a.fit.eraser.grid_bits);
  const Readout probe = load_readout(dir / "probe_erased.json");
  REQUIRE(probe.weights == a.probe_erased.weights);
  REQUIRE(probe.bias == a.probe_erased.bias);
  REQUIRE(probe.digest == sha256(bytes_of(a, "probe_erased.json")));

  write_file_atomic(dir / "eraser.json", "{\"assay-eraser\":1}");
  REQUIRE_THROWS_AS(load_eraser(dir), InputError);
  write_file_atomic(dir / "probe.json", "{\"assay-readout\":1,\"hook\":\"x\"}");
  REQUIRE_THROWS_AS(load_readout(dir / "probe.json"), InputError);
  std::filesystem::remove_all(dir);
}

TEST_CASE("windows are deterministic, within the budget, and cover only their part") {
  const Transformer model = tiny_model();
  const auto text = documents(60);
  const LabelledText labelled = label_text(make_concept("digit"), text, text);
  const auto a = choose_windows(labelled, Part::fit, model, 1000, 3);
  std::size_t tokens = 0;
  for (const Window& w : a) {
    REQUIRE(labelled.parts[w.document] == Part::fit);
    REQUIRE(w.begin + w.length <= text[w.document].text.size());
    REQUIRE(w.length <= 48);
    tokens += w.length;
  }
  REQUIRE(tokens <= 1000);
  REQUIRE(tokens > 950);
  const auto other = choose_windows(labelled, Part::fit, model, 1000, 4);
  REQUIRE((other.size() != a.size() || other[0].begin != a[0].begin ||
           other[0].document != a[0].document || other[1].document != a[1].document));
  REQUIRE_THROWS_AS(choose_windows(labelled, Part::fit, model, 3, 3), UsageError);
  const std::vector<Document> one = {text[0]};
  const LabelledText single = label_text(make_concept("digit"), one, one);
  const Part missing = single.parts[0] == Part::fit ? Part::held_out : Part::fit;
  REQUIRE_THROWS_AS(choose_windows(single, missing, model, 1000, 3), Refusal);
}

TEST_CASE("a site, tokenizer or grid that cannot be used is refused by name") {
  const Transformer model = tiny_model();
  const Tokenizer tokenizer = Tokenizer::bytes();
  const auto text = documents(4);
  const Concept digit = make_concept("digit");
  REQUIRE_THROWS_AS(run_erasure({model, tokenizer, text, digit, "blocks.0.nowhere"}), UsageError);
  const Tokenizer small = Tokenizer::characters("abc 123", 8);
  REQUIRE_THROWS_AS(run_erasure({model, small, text, digit, kHookResidMid}), UsageError);
  REQUIRE_THROWS_AS(run_erasure({model, tokenizer, text, digit, kHookResidMid, 1000, 1, 30}),
                    UsageError);
}
