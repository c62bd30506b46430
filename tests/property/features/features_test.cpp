#include "assay/features/best_feature.hpp"
#include "assay/features/evaluate.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using namespace assay::features;

TEST_CASE("FVU does not depend on a large common mean, and a perfect SAE scores perfectly") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Transformer model = test::random_model(10, 4, 8, seed);
    Sae sae = test::random_transcoder(model, 16, seed);
    sae.architecture = "jumprelu";
    sae.hook_name = sae.hook_name_out = kHookResidMid;
    // x = relu(x) - relu(-x): exact with thresholds 0.
    sae.W_enc = zeros({8, 16});
    sae.W_dec = zeros({16, 8});
    sae.b_enc = zeros({16});
    sae.b_dec = zeros({8});
    sae.threshold = zeros({16});
    for (std::size_t i = 0; i < 8; ++i) {
      sae.W_enc.data[i * 16 + i] = 1;
      sae.W_enc.data[i * 16 + 8 + i] = -1;
      sae.W_dec.data[i * 8 + i] = 1;
      sae.W_dec.data[(8 + i) * 8 + i] = -1;
    }
    for (float& b : model.b_O.data) {
      b += 1000;
    }
    Random random(seed);
    Sequences text(5);
    for (auto& tokens : text) {
      for (int i = 0; i < 12; ++i) {
        tokens.emplace_back(random.below(10));
      }
    }
    const Evaluation e = evaluate(model, sae, text);
    CHECK(e.metric("fvu").value == Approx(0).margin(1e-12));
    CHECK(e.metric("delta_ce").value == Approx(0).margin(1e-9));
    CHECK(e.metric("loss_recovered").value == Approx(1));
    std::uint64_t counted = 0;
    for (const auto n : e.density_histogram) {
      counted += n;
    }
    CHECK(counted + static_cast<std::uint64_t>(e.metric("dead").value) == 16);
  }
}

TEST_CASE("no feature has a higher F1 than best_feature's") {
  const Transformer model = test::random_model(10);
  const Sae sae = test::random_transcoder(model);
  Random random(4);
  Sequences text(1);
  for (int i = 0; i < 16; ++i) {
    text[0].emplace_back(random.below(10));
  }
  const Matrix values = feature_values(model, sae, text[0]);
  for (std::size_t token = 0; token < 10; ++token) {
    double highest = 0;
    for (std::size_t i = 0; i < sae.d_sae; ++i) {
      double hits = 0, on = 0, members = 0;
      for (std::size_t r = 0; r < values.rows; ++r) {
        const bool is = text[0][r] == TokenId(token), fires = values.at(r, i) > 0;
        hits += is && fires;
        on += fires;
        members += is;
      }
      highest = std::max(highest, on + members > 0 ? 2 * hits / (on + members) : 0.0);
    }
    CHECK(best_feature(model, sae, {TokenId(token)}, text).f1 == Approx(highest));
  }
}
