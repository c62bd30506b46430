#include <catch.hpp>

#include "../../../src/bounds/leaf_program.hpp"
#include "../../../src/bounds/domain_work.hpp"
#include "assay/bounds/bound.hpp"
#include "assay/smt/invariant.hpp"
#include "assay/smt/linear_program.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

const bool kBuilt = smt::solver_version() != "none";

LinearSolver z3() {
  return [](const LinearProblem& p) { return smt::minimise(p); };
}

/// A logit difference of a small model, its scores large so that the heads' weights differ.
struct Leaf {
  Leaf(std::uint64_t seed, const std::vector<std::vector<std::uint32_t>>& sets)
      : model(fixture::family_model(fixture::families()[0], seed, 5, 2.0)),
        net(model),
        domain(net, fixed_domain(sets)) {
    Quantity q;
    q.kind = QuantityKind::logit_difference;
    q.index = 0;
    q.other = 1;
    target = make_target(net, nullptr, q);
  }
  double bound(const LinearSolver* solver, std::size_t steps,
               const std::vector<NeuronPart>& parts = {}) {
    return bound_case(*domain.work(domain.root()), target, parts, {steps, solver}).hi;
  }

  Transformer model;
  Network net;
  DomainWork domain;
  Target target;
};

}  // namespace

TEST_CASE("the linear problem's numbers prove less than 64 subgradient steps where several positions are free") {
  if (!kBuilt) {
    WARN("built without Z3");
    return;
  }
  const LinearSolver solver = z3();
  std::size_t better = 0;
  double worst = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Leaf leaf(seed, {{0, 1, 2}, {0, 3, 4}, {2}});
    REQUIRE(LeafProgram::applies(*leaf.domain.work(leaf.domain.root())));
    const double steps = leaf.bound(nullptr, 64);
    const double exact = leaf.bound(&solver, 64);
    better += exact < steps - 1e-3 * (1 + std::fabs(steps)) ? 1 : 0;
    worst = std::max(worst, exact - steps);
  }
  WARN("looser by steps in " << better << " of 12, the problem's numbers above the steps' by at most " << worst);
  CHECK(better >= 3);
  CHECK(worst <= 1e-5);
}

TEST_CASE("numbers that a solver invents prove nothing false") {
  const std::vector<std::vector<std::uint32_t>> sets{{0, 1, 2}, {0, 3, 4}, {2}};
  for (const double number : {0.0, 1.0, -7.5, 1e9, 1e300, std::nan("")}) {
    CAPTURE(number);
    const LinearSolver liar = [&](const LinearProblem& p) {
      return std::vector<double>(p.cost.size(), number);
    };
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Leaf leaf(seed, sets);
      Bounder bounder(leaf.model, nullptr);
      Quantity q;
      q.kind = QuantityKind::logit_difference;
      q.index = 0;
      q.other = 1;
      double least = 1e300;
      double most = -1e300;
      for (const auto& context : fixture::contexts_of(sets)) {
        const double value = replay(leaf.model, nullptr, q, context);
        least = std::min(least, value);
        most = std::max(most, value);
      }
      BoundOptions options{.nodes = 4, .enumerate = 0};
      options.solver = liar;
      options.solver_cases = 8;
      const BoundResult r = bounder.bound(fixed_domain(sets), q, options);
      CHECK(r.lo <= least);
      CHECK(r.hi >= most);
      options.solver = nullptr;
      const BoundResult without = bounder.bound(fixed_domain(sets), q, options);
      CHECK(r.hi <= without.hi);
      CHECK(r.lo >= without.lo);
    }
  }
}

TEST_CASE("either sign of a neuron has its own multiplier, and both parts cover the case") {
  std::size_t narrower = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Leaf leaf(seed, {{0, 1, 2}, {0, 3, 4}, {2}});
    const std::shared_ptr<CaseWork> work = leaf.domain.work(leaf.domain.root());
    const double whole = leaf.bound(nullptr, 64);
    double truth = -1e300;
    for (const std::uint32_t a : {0U, 1U, 2U}) {
      for (const std::uint32_t b : {0U, 3U, 4U}) {
        const auto context = fixture::contexts_of({{a}, {b}, {2}}).front();
        Quantity q;
        q.kind = QuantityKind::logit_difference;
        q.index = 0;
        q.other = 1;
        truth = std::max(truth, replay(leaf.model, nullptr, q, context));
      }
    }
    for (std::size_t j = 0; j < leaf.net.f; ++j) {
      const Interval r = work->neurons().range[j];
      if (!(r.lo < 0 && r.hi > 0)) {
        continue;
      }
      const double parts = std::max(leaf.bound(nullptr, 64, {{j, 1}}), leaf.bound(nullptr, 64, {{j, -1}}));
      CHECK(parts >= truth - 1e-9);
      narrower += parts < whole - 1e-6 ? 1 : 0;
    }
  }
  CHECK(narrower > 12);
}
