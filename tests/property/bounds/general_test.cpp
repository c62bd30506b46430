#include "assay/bounds/bound.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "assay/bounds/concrete.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

/// Rounds of every family; ASSAY_PROPERTY_SCALE multiplies them (nightly runs).
std::size_t rounds(std::size_t normal) {
  const char* scale = std::getenv("ASSAY_PROPERTY_SCALE");
  return normal * (scale == nullptr ? 1 : std::max(1, std::atoi(scale)));
}

struct Extremes {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();
};

using Contexts = std::vector<std::vector<TokenId>>;

/// The truth, by brute force through the reference forward pass.
Extremes truth(const Transformer& m, const Sae* sae, const Quantity& q, const Contexts& contexts) {
  Extremes e;
  for (const auto& context : contexts) {
    const double value = replay(m, sae, q, context);
    e.lo = std::min(e.lo, value);
    e.hi = std::max(e.hi, value);
  }
  return e;
}

/// Every context of `lo` … `hi` tokens over the vocabulary that ends in the suffix.
Contexts ending_in(std::size_t V, const std::vector<std::uint32_t>& suffix, std::size_t hi) {
  Contexts all;
  for (std::size_t n = suffix.size(); n <= hi; ++n) {
    std::vector<std::uint32_t> any;
    for (std::uint32_t u = 0; u < V; ++u) {
      any.push_back(u);
    }
    std::vector<std::vector<std::uint32_t>> sets(n - suffix.size(), any);
    for (const std::uint32_t t : suffix) {
      sets.push_back({t});
    }
    const Contexts some = fixture::contexts_of(sets);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::size_t check_bounds(const Transformer& m, const Sae* sae, const Domain& domain,
                         const Contexts& contexts, std::uint64_t seed) {
  Bounder bounder(m, sae);
  std::size_t points = 0;
  for (const Quantity& q : fixture::quantities_of(m, sae, seed)) {
    CAPTURE(q.text());
    const Extremes e = truth(m, sae, q, contexts);
    points += contexts.size();
    for (const auto& [nodes, enumerate] :
         {std::pair<std::size_t, std::uint64_t>{1, 0}, {24, 0}, {64, 4096}}) {
      BoundOptions options;
      options.nodes = nodes;
      options.enumerate = enumerate;
      const BoundResult r = bounder.bound(domain, q, options);
      CHECK(r.lo <= e.lo);
      CHECK(r.hi >= e.hi);
      CHECK(r.attained_lo >= e.lo);
      CHECK(r.attained_hi <= e.hi);
      CHECK(r.attained_hi == replay(m, sae, q, r.witness_hi));
      CHECK(r.attained_lo == replay(m, sae, q, r.witness_lo));
      if (r.closed) {
        CHECK(r.hi - e.hi <= 2e-7 * (1 + std::fabs(e.hi)));
        CHECK(e.lo - r.lo <= 2e-7 * (1 + std::fabs(e.lo)));
      }
    }
  }
  return points;
}

std::vector<std::uint32_t> random_set(Random& r, std::size_t V) {
  std::vector<std::uint32_t> set;
  for (std::uint32_t u = 0; u < V; ++u) {
    if (r.below(3) != 0) {
      set.push_back(u);
    }
  }
  if (set.empty()) {
    set.push_back(static_cast<std::uint32_t>(r.below(V)));
  }
  return set;
}

const char* const kHooks[] = {kHookResidMid, kHookMlpPost, kHookMlpOut, kHookResidPost};

}  // namespace

TEST_CASE("no context leaves its bound, positions with token sets", "[property]") {
  std::size_t points = 0;
  std::uint64_t seed = 100;
  for (const fixture::Family& family : fixture::families()) {
    for (std::size_t round = 0; round < rounds(48); ++round) {
      CAPTURE(family.name, seed);
      Random r(seed);
      const std::size_t V = 4 + r.below(2);
      const Transformer m = fixture::family_model(family, seed, V, round % 4 == 3 ? 4.0 : 1.0);
      const char* hook = family.attn_only ? kHookResidMid : kHooks[seed % 4];
      const Sae sae = fixture::random_sae(
          seed, hook, std::string(hook) == kHookMlpPost ? m.config.d_mlp : m.config.d_model);
      std::vector<std::vector<std::uint32_t>> sets;
      for (std::size_t p = 0; p < 3 + r.below(3); ++p) {
        sets.push_back(random_set(r, V));
      }
      points += check_bounds(m, &sae, fixed_domain(sets), fixture::contexts_of(sets), seed);
      ++seed;
    }
  }
  WARN("points: " << points);
  CHECK(points > 400000);
}

TEST_CASE("no context leaves its bound, and there is one, whatever the size of the scores",
          "[property]") {
  std::uint64_t seed = 300;
  for (const fixture::Family& family : fixture::families()) {
    for (const float size : {30.0F, 1e3F, 1e5F, 1e10F}) {
      CAPTURE(family.name, seed, size);
      Transformer m = fixture::family_model(family, seed, 4);
      for (float& w : m.W_Q.data) {
        w *= size;
      }
      Bounder bounder(m, nullptr);
      const std::vector<std::vector<std::uint32_t>> sets{
          {0, 1, 2, 3}, {0, 2}, {static_cast<std::uint32_t>(seed % 4), 1}};
      const Contexts contexts = fixture::contexts_of(sets);
      for (const Quantity& q : fixture::quantities_of(m, nullptr, seed)) {
        const Extremes e = truth(m, nullptr, q, contexts);
        const BoundResult r = bounder.bound(fixed_domain(sets), q, {.nodes = 8, .enumerate = 0});
        CHECK(std::isfinite(r.lo));
        CHECK(std::isfinite(r.hi));
        CHECK(r.lo <= e.lo);
        CHECK(r.hi >= e.hi);
      }
      ++seed;
    }
  }
}

TEST_CASE("no context leaves its bound, suffix and every length", "[property]") {
  std::size_t points = 0;
  std::uint64_t seed = 500;
  for (const fixture::Family& family : fixture::families()) {
    for (std::size_t round = 0; round < rounds(44); ++round) {
      CAPTURE(family.name, seed);
      Random r(seed);
      const Transformer m = fixture::family_model(family, seed, 4);
      std::vector<std::uint32_t> suffix{static_cast<std::uint32_t>(r.below(4))};
      if (round % 2 == 1) {
        suffix.push_back(static_cast<std::uint32_t>(r.below(4)));
      }
      const std::size_t longest = 5;
      points += check_bounds(m, nullptr, suffix_domain(m, suffix, longest),
                             ending_in(4, suffix, longest), seed);
      ++seed;
    }
  }
  WARN("points: " << points);
  CHECK(points > 600000);
}

TEST_CASE("any length: contexts longer than the window are covered", "[property]") {
  for (const fixture::Family& family : fixture::families()) {
    if (family.window == 0 || family.positions == PosKind::standard) {
      continue;
    }
    CAPTURE(family.name);
    const Transformer m = fixture::family_model(family, 900, 3);
    check_bounds(m, nullptr, any_length_domain(m, {1, 2}), ending_in(3, {1, 2}, family.window + 2),
                 900);
    // A suffix longer than the window.
    check_bounds(m, nullptr, any_length_domain(m, {0, 1, 2, 0, 1, 2}),
                 ending_in(3, {0, 1, 2, 0, 1, 2}, 8), 901);
  }
}

TEST_CASE("the relu families' interval evaluation meets the bounds", "[property]") {
  for (std::uint64_t seed = 40; seed < 44; ++seed) {
    const fixture::Family family = fixture::families()[seed % 4];
    const Transformer m = fixture::family_model(family, seed, 4);
    const std::vector<std::vector<std::uint32_t>> sets{{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2}, {3}};
    Bounder bounder(m, nullptr);
    Quantity q;
    q.kind = QuantityKind::logit_difference;
    q.index = 1;
    q.other = 2;
    const BoundResult r = bounder.bound(fixed_domain(sets), q, {.nodes = 8, .enumerate = 0});
    for (const auto& context : fixture::contexts_of(sets)) {
      const ConcreteValues values = enclose(m, context);
      const Interval difference = values.logits[1] - values.logits[2];
      CHECK(difference.lo >= r.lo);
      CHECK(difference.hi <= r.hi);
    }
  }
}

TEST_CASE("a larger budget never loosens a bound's answer, and closes small domains",
          "[property]") {
  const Transformer m = fixture::family_model(fixture::families()[0], 77, 5);
  const std::vector<std::vector<std::uint32_t>> sets{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {2}};
  Bounder bounder(m, nullptr);
  for (const Quantity& q : fixture::quantities_of(m, nullptr, 3)) {
    double width = std::numeric_limits<double>::infinity();
    for (const std::size_t nodes : {2, 8, 32, 512}) {
      const BoundResult r = bounder.bound(fixed_domain(sets), q, {.nodes = nodes, .enumerate = 0});
      CHECK(r.hi - r.lo <= width);
      width = r.hi - r.lo;
      CHECK((nodes != 512 || r.closed));
    }
  }
}
