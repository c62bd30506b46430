#include "assay/bounds/bound.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include "assay/bounds/concrete.hpp"
#include "assay/model/forward.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

std::uint64_t setting(const char* name, std::uint64_t normal) {
  const char* value = std::getenv(name);
  return value == nullptr ? normal : std::strtoull(value, nullptr, 10);
}

/// Rounds of every family; ASSAY_PROPERTY_SCALE multiplies them (scripts/nightly).
std::size_t rounds(std::size_t normal) {
  return normal * std::max<std::uint64_t>(1, setting("ASSAY_PROPERTY_SCALE", 1));
}

/// The first seed of a test; ASSAY_PROPERTY_SEED moves it, so that runs side by side share no model.
std::uint64_t first_seed(std::uint64_t normal) {
  return normal + 1'000'000'000 * setting("ASSAY_PROPERTY_SEED", 0);
}

/// Tokens added to every context; ASSAY_PROPERTY_LONGER (at most 2: the models know 8 positions).
std::size_t longer() {
  return std::min<std::uint64_t>(2, setting("ASSAY_PROPERTY_LONGER", 0));
}

struct Extremes {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();
};

using Contexts = std::vector<std::vector<TokenId>>;

/// What the quantity is in one reference forward pass.
double value_in(const ForwardPass& pass, const Sae* sae, const Quantity& q) {
  const auto last = [&](const std::string& hook) {
    const Matrix& m = pass.hooks.at(hook);
    return m.row(m.rows - 1);
  };
  const auto along = [](std::span<const double> row, const std::vector<double>& w, double sum) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      sum += w[i] * row[i];
    }
    return sum;
  };
  const auto logits = pass.logits.row(pass.logits.rows - 1);
  switch (q.kind) {
    case QuantityKind::logit:
      return logits[q.index];
    case QuantityKind::logit_difference:
      return logits[q.index] - logits[q.other];
    case QuantityKind::logit_margin: {
      double rival = -std::numeric_limits<double>::infinity();
      for (std::size_t y = 0; y < logits.size(); ++y) {
        rival = y == q.index ? rival : std::max(rival, logits[y]);
      }
      return logits[q.index] - rival;
    }
    case QuantityKind::logit_mixture: {
      double lead = logits[q.index];
      for (const auto& [y, weight] : q.mixture) {
        lead -= static_cast<double>(weight) / kWholeMixture * logits[y];
      }
      return lead;
    }
    case QuantityKind::neuron:
      return last(kHookMlpPre)[q.index];
    case QuantityKind::feature:
    case QuantityKind::feature_difference: {
      const auto row = last(sae->hook_name);
      const Matrix pre = pre_activations(*sae, {1, row.size(), {row.begin(), row.end()}});
      return pre.at(0, q.index) - (q.kind == QuantityKind::feature ? 0.0 : pre.at(0, q.other));
    }
    case QuantityKind::residual_mid:
      return along(last(kHookResidMid), q.direction, 0);
    case QuantityKind::readout:
      break;
  }
  return along(last(q.readout->hook), q.readout->weights, q.readout->bias);
}

/// The truth, by brute force: one reference forward pass per context, every quantity read from it.
std::vector<Extremes> truth(const Transformer& m, const Sae* sae,
                            const std::vector<Quantity>& quantities, const Contexts& contexts) {
  std::vector<std::string> hooks{kHookResidMid, kHookResidPost};
  if (!m.config.attn_only) {
    hooks.emplace_back(kHookMlpPre);
  }
  if (sae != nullptr && std::find(hooks.begin(), hooks.end(), sae->hook_name) == hooks.end()) {
    hooks.push_back(sae->hook_name);
  }
  std::vector<Extremes> all(quantities.size());
  for (const auto& context : contexts) {
    const ForwardPass pass = forward(m, context, hooks);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double value = value_in(pass, sae, quantities[i]);
      all[i].lo = std::min(all[i].lo, value);
      all[i].hi = std::max(all[i].hi, value);
    }
  }
  return all;
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
  const std::vector<Quantity> quantities = fixture::quantities_of(m, sae, seed);
  const std::vector<Extremes> extremes = truth(m, sae, quantities, contexts);
  for (std::size_t i = 0; i < quantities.size(); ++i) {
    const Quantity& q = quantities[i];
    const Extremes& e = extremes[i];
    CAPTURE(q.text());
    points += contexts.size();
    for (const auto& [nodes, enumerate] :
         {std::pair<std::size_t, std::uint64_t>{1, 0}, {24, 0}, {64, 4096}}) {
      BoundOptions options;
      options.nodes = nodes;
      options.enumerate = enumerate;
      const BoundResult r = bounder.bound(domain, q, options);
      CHECK(r.lo <= e.lo);
      CHECK(r.hi >= e.hi);
      CHECK(r.attained_lo <= r.attained_hi);
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
  std::uint64_t seed = first_seed(100);
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
      const std::size_t length = 3 + r.below(3) + longer();
      for (std::size_t p = 0; p < length; ++p) {
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
      const std::vector<Quantity> quantities = fixture::quantities_of(m, nullptr, seed);
      const std::vector<Extremes> extremes = truth(m, nullptr, quantities, contexts);
      for (std::size_t i = 0; i < quantities.size(); ++i) {
        const BoundResult r =
            bounder.bound(fixed_domain(sets), quantities[i], {.nodes = 8, .enumerate = 0});
        CHECK(std::isfinite(r.lo));
        CHECK(std::isfinite(r.hi));
        CHECK(r.lo <= extremes[i].lo);
        CHECK(r.hi >= extremes[i].hi);
      }
      ++seed;
    }
  }
}

TEST_CASE("no context leaves its bound, suffix and every length", "[property]") {
  std::size_t points = 0;
  std::uint64_t seed = first_seed(500);
  for (const fixture::Family& family : fixture::families()) {
    for (std::size_t round = 0; round < rounds(44); ++round) {
      CAPTURE(family.name, seed);
      Random r(seed);
      const Transformer m = fixture::family_model(family, seed, 4);
      std::vector<std::uint32_t> suffix{static_cast<std::uint32_t>(r.below(4))};
      if (round % 2 == 1) {
        suffix.push_back(static_cast<std::uint32_t>(r.below(4)));
      }
      const std::size_t longest = 5 + longer();
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
      // A margin is the least of its rivals' bounds, which no budget makes tight.
      CHECK((nodes != 512 || r.closed || q.kind == QuantityKind::logit_margin));
    }
  }
}
