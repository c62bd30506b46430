#include "assay/bounds/firing.hpp"

#include <catch.hpp>

#include "assay/model/forward.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

/// Off and on in one context whatever is kept in a tie, and what the reference encoder does.
struct State {
  bool off = true, on = true;
};

State state_of(const Sae& sae, const std::vector<double>& pre, std::size_t i) {
  if (!sae.is_top_k()) {
    const bool on = pre[i] > static_cast<double>(sae.threshold.data[i]);
    return {!on, on};
  }
  std::size_t larger = 0, as_large = 0;
  for (std::size_t y = 0; y < pre.size(); ++y) {
    larger += y != i && pre[y] > pre[i] ? 1 : 0;
    as_large += y != i && pre[y] >= pre[i] ? 1 : 0;
  }
  return {pre[i] <= 0 || larger >= sae.k, pre[i] > 0 && as_large <= sae.k - 1};
}

}  // namespace

TEST_CASE("must-on and must-off hold in every context, and may is not said idly", "[property]") {
  std::uint64_t seed = 6000;
  std::size_t on = 0, off = 0, may = 0, missed = 0, points = 0;
  for (const fixture::Family& family : fixture::families()) {
    for (int round = 0; round < 6; ++round) {
      ++seed;
      CAPTURE(family.name, seed);
      const Transformer m = fixture::family_model(family, seed, 4);
      Sae sae = fixture::random_sae(seed, kHookResidMid, m.config.d_model);
      if (round % 3 != 2) {
        sae.architecture = "topk";
        sae.k = 1 + seed % sae.d_sae;
        sae.threshold = zeros({sae.d_sae});
      }
      Random r(seed);
      for (float& b : sae.b_enc.data) {
        b = static_cast<float>(6 * (2 * r.unit() - 1));
      }
      const std::vector<std::vector<std::uint32_t>> sets{{0, 1, 2, 3}, {0, 1, 3}, {2}};
      const Domain domain = fixed_domain(sets);
      const auto contexts = fixture::contexts_of(sets);
      Bounder bounder(m, &sae);
      std::vector<State> truth(sae.d_sae);
      std::vector<std::size_t> fired(sae.d_sae);
      for (const auto& context : contexts) {
        const std::string hooks[] = {sae.hook_name};
        const Matrix x = forward(m, context, hooks).hooks.at(sae.hook_name);
        const auto row = x.row(x.rows - 1);
        Matrix pre = pre_activations(sae, {1, x.cols, {row.begin(), row.end()}});
        for (std::size_t i = 0; i < sae.d_sae; ++i) {
          const State s = state_of(sae, pre.data, i);
          truth[i].off = truth[i].off && s.off;
          truth[i].on = truth[i].on && s.on;
        }
        apply_activation(sae, pre);
        for (std::size_t i = 0; i < sae.d_sae; ++i) {
          fired[i] += pre.at(0, i) != 0 ? 1 : 0;
        }
      }
      for (std::uint32_t i = 0; i < sae.d_sae; ++i) {
        CAPTURE(i, sae.k);
        Quantity q;
        q.kind = QuantityKind::feature;
        q.index = i;
        const BoundOptions options{.nodes = 64};
        const BoundResult own = bounder.bound(domain, q, options);
        const FiringVerdict v = bounder.firing(domain, i, own, options);
        points += contexts.size();
        CHECK((v.firing != Firing::must_off || (truth[i].off && fired[i] == 0)));
        CHECK((v.firing != Firing::must_on || (truth[i].on && fired[i] == contexts.size())));
        on += v.firing == Firing::must_on ? 1 : 0;
        off += v.firing == Firing::must_off ? 1 : 0;
        may += v.firing == Firing::may ? 1 : 0;
        missed += v.firing == Firing::may && (truth[i].on || truth[i].off) ? 1 : 0;
      }
    }
  }
  WARN("must-on " << on << ", must-off " << off << ", may " << may
                  << " of which decided by brute force " << missed << ", points " << points);
  CHECK(on > 20);
  CHECK(off > 20);
  CHECK(missed * 5 < on + off);
}
