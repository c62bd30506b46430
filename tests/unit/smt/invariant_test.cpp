#include "assay/smt/invariant.hpp"

#include "assay/base/random.hpp"
#include "catch.hpp"

using namespace assay::smt;

namespace {

/// A ring of n states; letter bit 0 is unknown in state `open`; the monitor is bad for ever
/// once it has read the bit.
InvariantProblem ring(std::uint32_t n, std::uint32_t open) {
  InvariantProblem p;
  p.atoms = 1;
  p.states.resize(n);
  if (open < n) {
    p.states[open].may = 1;
  }
  p.initial = {0};
  for (std::uint32_t s = 0; s < n; ++s) {
    p.edges.emplace_back(s, (s + 1) % n);
    p.invariant.emplace_back(s, 0);
  }
  p.monitor = {0, 1, 1, 1};
  p.bad = {false, true};
  return p;
}

const bool kBuilt = solver_version() != "none";

}  // namespace

TEST_CASE("Z3 agrees with an inductive set and with nothing less") {
  InvariantProblem p = ring(30, 99);
  Limits small_chunks;
  small_chunks.chunk = 7;
  const SecondOpinion yes = check_invariant(p, small_chunks);
  REQUIRE(yes.opinion == (kBuilt ? Opinion::agree : Opinion::not_built));
  if (!kBuilt) {
    return;
  }
  REQUIRE(yes.obligations == 1 + 2 * 5);
  for (std::size_t i = 0; i < p.invariant.size(); i += 5) {  // drop one pair: no longer closed
    InvariantProblem damaged = p;
    damaged.invariant.erase(damaged.invariant.begin() + static_cast<std::ptrdiff_t>(i));
    REQUIRE(check_invariant(damaged).opinion == Opinion::disagree);
  }
  REQUIRE(check_invariant(ring(30, 12)).opinion == Opinion::disagree);  // an unknown bit counts
  InvariantProblem all = ring(30, 12);
  for (std::uint32_t s = 0; s < 30; ++s) {
    all.invariant.emplace_back(s, 1);
  }
  REQUIRE(check_invariant(all).opinion == Opinion::disagree);  // closed, but holds bad pairs
}

TEST_CASE("Spacer agrees on small products and is not asked about large ones") {
  if (!kBuilt) {
    return;
  }
  REQUIRE(check_reachability(ring(20, 99), false).opinion == Opinion::agree);
  REQUIRE(check_reachability(ring(20, 99), true).opinion == Opinion::disagree);
  REQUIRE(check_reachability(ring(20, 12), true).opinion == Opinion::agree);
  REQUIRE(check_reachability(ring(20, 12), false).opinion == Opinion::disagree);
  REQUIRE(check_reachability(ring(200, 99), false).opinion == Opinion::unknown);
}

TEST_CASE("limits end in unknown, never in a verdict") {
  if (!kBuilt) {
    return;
  }
  Limits none;
  none.resources = 1;
  REQUIRE(check_invariant(ring(400, 99), none).opinion == Opinion::unknown);
  Limits few;
  few.constraints = 10;
  REQUIRE(check_invariant(ring(400, 99), few).opinion == Opinion::unknown);
}
