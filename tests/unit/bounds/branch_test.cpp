#include <catch.hpp>

#include "../../../src/bounds/branch.hpp"
#include "assay/smt/invariant.hpp"
#include "assay/smt/linear_program.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

using Sets = std::vector<std::vector<std::uint32_t>>;

/// The search on the upper side of l_0 - l_1 of a small model, with the truth.
struct Searched {
  Searched(std::uint64_t seed, const Sets& sets)
      : model(fixture::family_model(fixture::families()[0], seed, 5, 2.0)),
        net(model),
        domain(net, fixed_domain(sets)) {
    Quantity q;
    q.kind = QuantityKind::logit_difference;
    q.index = 0;
    q.other = 1;
    target = make_target(net, nullptr, q);
    for (const auto& context : fixture::contexts_of(sets)) {
      truth = std::max(truth, replay(model, nullptr, q, context));
    }
  }
  BranchResult run(std::size_t nodes, const LinearSolver& solver = nullptr) {
    BoundOptions options{.nodes = nodes, .enumerate = 0};
    options.solver = solver;
    options.solver_cases = solver ? 4 : 0;
    return branch(domain, target, options, nodes);
  }

  Transformer model;
  Network net;
  DomainWork domain;
  Target target;
  double truth = -1e300;
};

}  // namespace

TEST_CASE("the search divides a case at a neuron's sign where that pays, and its bound holds") {
  std::size_t chosen = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Searched s(seed, {{0, 1, 2}, {0, 3, 4}, {1, 2, 4}, {2}});
    const BranchResult found = s.run(24);
    CHECK(found.hi >= s.truth);
    for (const BranchNode& node : found.tree) {
      if (node.split.by != Split::By::neuron) {
        continue;
      }
      ++chosen;
      // Both signs of the one neuron, on the same contexts, and neither part looser than the whole.
      REQUIRE(node.children.size() == 2);
      for (const std::size_t side : {0U, 1U}) {
        const BranchNode& part = found.tree[node.children[side]];
        REQUIRE(part.neurons.size() == node.neurons.size() + 1);
        CHECK(part.neurons.back().neuron == node.split.neuron);
        CHECK(part.neurons.back().sign == (side == 0 ? 1 : -1));
        CHECK(part.box.back == node.box.back);
      }
    }
  }
  WARN(chosen << " cases were divided at a neuron");
  CHECK(chosen >= 3);
}

TEST_CASE("the linear problem's dual closes cases that the search leaves open") {
  if (smt::solver_version() == "none") {
    WARN("built without Z3");
    return;
  }
  const LinearSolver z3 = [](const LinearProblem& p) { return smt::minimise(p); };
  std::size_t closed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Searched s(seed, {{0, 1, 2}, {0, 3, 4}, {2}});
    const BranchResult without = s.run(1);
    const BranchResult with = s.run(1, z3);
    CHECK(with.hi >= s.truth);
    CHECK(with.hi <= without.hi);
    if (!without.closed && with.closed) {
      ++closed;
      CHECK(with.hi <= s.truth + 1e-6 * (1 + std::fabs(s.truth)));
      CHECK(with.tree.size() == 1);  // no split: the numbers alone
    }
  }
  WARN(closed << " cases were closed by the problem's numbers alone");
  CHECK(closed > 0);
}
