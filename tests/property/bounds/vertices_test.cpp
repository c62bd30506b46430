#include <catch.hpp>
#include <cmath>

#include "../../../src/bounds/domain_work.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

Target random_target(const Network& net, Random& r, bool is_convex) {
  Target out;
  out.fold.const0 = Interval(2 * r.unit() - 1);
  for (std::size_t i = 0; i < net.d; ++i) {
    out.fold.g0.emplace_back(2 * r.unit() - 1);
  }
  for (std::size_t j = 0; j < net.f; ++j) {
    const double kappa = 2 * r.unit() - 1;
    out.fold.kappa.emplace_back(is_convex ? std::fabs(kappa) : kappa);
  }
  return out;
}

/// The target in one context, to the nearest.
double value(const ReadyCase& ready, const Target& target, const std::vector<TokenId>& back) {
  const Network& net = ready.places().net();
  const Row m = nearest_mid(ready, std::vector<const std::vector<TokenId>*>(net.heads, &back));
  return nearest_values(net, target, m).front();
}

}  // namespace

TEST_CASE("HULL holds in every context, and is attained where every neuron counts positively",
          "[property]") {
  const fixture::Family family = fixture::families()[3];  // relative, a window of 4
  REQUIRE(family.window == 4);
  std::size_t tighter = 0, targets = 0;
  for (std::uint64_t seed = 9000; seed < 9040; ++seed) {
    CAPTURE(seed);
    Random r(seed);
    Transformer m = fixture::family_model(family, seed, 5);
    for (std::size_t j = 1; j < 4; ++j) {  // head 1 sees the query alone
      m.rel_bias.data[4 + j] = -64;
    }
    Transformer other = m;  // and here a little more: too much for HULL
    for (std::size_t j = 1; j < 4; ++j) {
      other.rel_bias.data[4 + j] = -14;
    }
    const Network net(m), net_of_other(other);
    const auto query = static_cast<std::uint32_t>(r.below(5));
    std::vector<std::vector<std::uint32_t>> sets;
    for (std::size_t p = 0; p < 3; ++p) {
      sets.push_back(r.below(3) == 0
                         ? std::vector<std::uint32_t>{static_cast<std::uint32_t>(r.below(5))}
                         : std::vector<std::uint32_t>{0, 1, 2, 3, 4});
    }
    sets.push_back({query});
    DomainWork domain(net, seed % 2 == 0 ? suffix_domain(m, {query}, 4) : fixed_domain(sets));
    const std::shared_ptr<CaseWork> work = domain.work(domain.root());
    if (domain.root().contexts(net) == 1) {
      continue;  // nothing moves
    }
    REQUIRE(work->vertices() != nullptr);
    DomainWork other_domain(net_of_other,
                            seed % 2 == 0 ? suffix_domain(other, {query}, 4) : fixed_domain(sets));
    const std::shared_ptr<CaseWork> other_work = other_domain.work(other_domain.root());
    REQUIRE(other_work->vertices() == nullptr);
    for (int draw = 0; draw < 12; ++draw) {
      const bool is_convex = draw % 3 == 0;
      const Target target = random_target(net, r, is_convex);
      const double truth =
          value(work->ready(), target, domain.enumeration(domain.root())->best(net, target).back);
      const double hull = work->vertices()->bound(target.fold, 32).hi;
      const double fold = bound_case(*other_work, target, {}, {32, nullptr}).hi;
      const CaseBound best = bound_case(*work, target, {}, {32, nullptr});
      CHECK(hull >= truth - 1e-9 * (1 + std::fabs(truth)));
      CHECK((!is_convex || hull <= truth + 1e-6 * (1 + std::fabs(truth))));
      CHECK(best.hi <= hull);
      CHECK(best.hi <= fold + 1e-3 * (1 + std::fabs(fold)));
      tighter += best.rule == CaseRule::hull && best.hi < fold - 1e-3 ? 1 : 0;
      ++targets;
    }
  }
  CHECK(tighter > targets / 3);
}

TEST_CASE("HULL is not used where two heads move or neurons are not relu", "[property]") {
  for (const std::size_t at : {std::size_t{3}, std::size_t{0}, std::size_t{5}, std::size_t{13}}) {
    const fixture::Family family = fixture::families()[at];
    CAPTURE(family.name);
    const Transformer m = fixture::family_model(family, 11, 5);
    const Network net(m);
    DomainWork domain(net, fixed_domain({{0, 1, 2}, {0, 3}, {1}}));
    CHECK(domain.work(domain.root())->vertices() == nullptr);
  }
}
