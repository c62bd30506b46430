#include <algorithm>

#include "assay/bounds/attention.hpp"
#include "assay/bounds/mlp_fold.hpp"
#include "bounds_fixture.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

Direction random_direction(Random& random, std::size_t d) {
  Direction g;
  for (std::size_t i = 0; i < d; ++i) {
    g.mid.push_back(random.unit() * 4 - 2);
    g.radius.push_back(0);
  }
  return g;
}

long double along(const Direction& g, const fixture::Vec& x) {
  long double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += static_cast<long double>(g.mid[i]) * x[i];
  }
  return sum;
}

}  // namespace

TEST_CASE("ATTN-MAX: per head the bound is the brute-force maximum over all contexts") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Random random(seed * 77);
    const Transformer model = fixture::random_model(seed);
    const OneLayer layer(model);
    const std::size_t k = 1 + seed % 4;  // k = 4 = w: no free position
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < k; ++i) {
      tokens.emplace_back(random.below(5));
    }
    const Suffix suffix(layer, tokens);
    std::vector<fixture::Naive> runs;
    for (const auto& context : fixture::all_contexts(model, tokens)) {
      runs.push_back(fixture::naive(model, context));
    }
    for (int trial = 0; trial < 8; ++trial) {
      const Direction g = random_direction(random, 4);
      const auto maxima = suffix.attention_maximum(g);
      for (std::size_t h = 0; h < 2; ++h) {
        long double truth = -1e300L;
        for (const auto& run : runs) {
          truth = std::max(truth, along(g, run.head[h]));
        }
        CAPTURE(seed, trial, h, k);
        REQUIRE(static_cast<long double>(maxima[h].L) >= truth);
        REQUIRE(static_cast<long double>(maxima[h].L) <= truth + 1e-6L);
        REQUIRE(suffix.accepts(HeadId(h), g, maxima[h].L));
        // An L that has not converged is a lower bound: the check must refuse it.
        REQUIRE_FALSE(suffix.accepts(HeadId(h), g, static_cast<double>(truth - 1e-9L)));
      }
    }
  }
}

TEST_CASE("NEURON-RANGE: every context's pre-activation lies in its range, both ends nearly met") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Transformer model =
        fixture::random_model(seed, {.V = 5, .d = 4, .H = 1, .dh = 3, .f = 6, .w = 4});
    const OneLayer layer(model);
    const std::vector<TokenId> tokens{TokenId(seed % 5), TokenId(1)};
    const NeuronRanges ranges = neuron_ranges(Suffix(layer, tokens));
    std::vector<long double> lo(6, 1e300L), hi(6, -1e300L);
    for (const auto& context : fixture::all_contexts(model, tokens)) {
      const auto run = fixture::naive(model, context);
      for (std::size_t j = 0; j < 6; ++j) {
        lo[j] = std::min(lo[j], run.pre[j]);
        hi[j] = std::max(hi[j], run.pre[j]);
      }
    }
    for (std::size_t j = 0; j < 6; ++j) {
      REQUIRE(ranges.range[j].lo <= lo[j]);
      REQUIRE(ranges.range[j].hi >= hi[j]);
      REQUIRE(lo[j] - ranges.range[j].lo < 1e-6L);  // one head: the bound is exact
      REQUIRE(ranges.range[j].hi - hi[j] < 1e-6L);
    }
  }
}

TEST_CASE("ATTN-MAX holds when scores are far apart and values large") {
  Transformer model = fixture::random_model(3);
  for (float& x : model.W_Q.data) {
    x *= 400;  // scores of hundreds: weights of other tokens underflow
  }
  for (float& x : model.W_O.data) {
    x *= 1e6F;
  }
  const OneLayer layer(model);
  const std::vector<TokenId> tokens{TokenId(2), TokenId(0)};
  const Suffix suffix(layer, tokens);
  Random random(5);
  const Direction g = random_direction(random, 4);
  const auto maxima = suffix.attention_maximum(g);
  for (const auto& context : fixture::all_contexts(model, tokens)) {
    const auto run = fixture::naive(model, context);
    for (std::size_t h = 0; h < 2; ++h) {
      REQUIRE(along(g, run.head[h]) <= static_cast<long double>(maxima[h].L));
    }
  }
}
