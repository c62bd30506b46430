#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace assay::smt {

/// A finite automaton whose states show letters between must and may, a deterministic monitor
/// that reads them from state 0, and a set of pairs said to be inductive. Plain numbers: the
/// solver reads the tables by itself and shares no search code with whoever made the claim.
struct InvariantProblem {
  std::size_t atoms = 0;  ///< a letter is `atoms` bits
  struct State {
    std::uint64_t must = 0;
    std::uint64_t may = 0;
  };
  std::vector<State> states;
  std::vector<std::uint32_t> initial;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  std::vector<std::uint32_t> monitor;  ///< [monitor states x 2^atoms], row by row
  std::vector<bool> bad;               ///< [monitor states]
  std::vector<std::pair<std::uint32_t, std::uint32_t>> invariant;  ///< (state, monitor state)

  /// False: no letter is read at an initial state; the monitor stands at 0 there.
  bool reads_initial = true;
  std::vector<bool>
      settled;  ///< [monitor states] or empty: pairs with these need not be in the set
  /// [pairs] or empty. With steps a pair of step s must lead to pairs of step <= s + 1, initial ones have step 0, and
  /// nothing is asked of pairs of step `horizon`.
  std::vector<std::uint32_t> steps;
  std::uint32_t horizon = 0;
};

enum class Opinion { agree, disagree, unknown, not_built };
[[nodiscard]] const char* name(Opinion opinion);

struct Limits {
  unsigned resources = 50000000;     ///< Z3's rlimit, per obligation
  unsigned milliseconds = 60000;     ///< a safety stop, per obligation
  std::size_t chunk = 500;           ///< pairs per consecution query
  std::size_t constraints = 200000;  ///< larger obligations are not asked
  std::size_t spacer_pairs = 100;
  /// Called with the name ("init", "step-0", "bad-0") and the SMT-LIB2 text of every obligation; may be empty.
  std::function<void(const std::string&, const std::string&)> dump = {};
};

/// What a solver says of a claim, and why when it does not agree.
struct SecondOpinion {
  Opinion opinion = Opinion::unknown;
  std::size_t obligations = 0;
  std::string detail;
};

/// Asks Z3 whether init ⊆ I, I is closed under every edge and letter, and I ∩ bad = ∅: each
/// negation must be unsatisfiable, `chunk` pairs at a time, a fresh context per obligation.
[[nodiscard]] SecondOpinion check_invariant(const InvariantProblem& problem,
                                            const Limits& limits = {});

/// The same in a child process, so that a solver that dies or hangs is `unknown` with what happened.
[[nodiscard]] SecondOpinion check_invariant_apart(const InvariantProblem& problem,
                                                  const Limits& limits = {});

/// Asks Spacer (all xforms off) whether a bad pair is reachable and compares with `claimed`.
/// More than `spacer_pairs` reachable pairs: unknown.
[[nodiscard]] SecondOpinion check_reachability(const InvariantProblem& problem, bool claimed,
                                               const Limits& limits = {});

/// "Z3 4.8.12", or "none" when built without.
[[nodiscard]] std::string solver_version();

}  // namespace assay::smt
