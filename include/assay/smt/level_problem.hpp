#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace assay::smt {

/// Controls with real numbers on them, and steps: from a control, where every condition holds of the
/// numbers, to another with the numbers that the update gives. Numbers are "P" or "P/Q", exact.
struct LevelProblem {
  using Terms = std::vector<std::pair<std::size_t, std::string>>;  ///< level, coefficient
  /// Σ coefficient · level <= bound, or < bound.
  struct Row {
    Terms terms;
    std::string bound;
    bool strict = false;
  };
  struct Form {
    Terms terms;
    std::string constant;
  };
  struct Step {
    std::size_t from = 0, to = 0;
    std::vector<Row> conditions;
    std::vector<Form> update;
  };
  std::vector<std::string> initial;  ///< [levels]
  std::size_t controls = 0;
  std::vector<std::size_t> start;
  std::vector<bool> bad;  ///< [controls]
  std::vector<Step> steps;
};

struct LevelLimits {
  int seconds = 20;                ///< a hard kill of the child
  unsigned resources = 200000000;  ///< Z3's rlimit
  std::size_t depth = 64;          ///< of bounded model checking
  std::size_t steps = 3000;        ///< larger problems are not asked
  /// Spacer as Z3 ships it, rewriting of clauses on: for comparison only.
  bool careless = false;
  /// Asked "run" or "invariant" in the child, in Z3's place: what stands here may lie, hang or die.
  std::function<std::string(const std::string&, const LevelProblem&)> instead = {};
};

/// A conjunction of rows at a control; its numbers are words of the right form, its levels those of the problem.
struct LevelCandidate {
  std::size_t control = 0;
  std::vector<LevelProblem::Row> rows;
};

/// What Z3 said in a child process of its own. Neither part may be believed: a run is to be computed
/// anew, an invariant to be checked step by step.
struct LevelAnswer {
  std::vector<std::size_t> run;           ///< steps, the last one into a bad control
  std::vector<LevelCandidate> invariant;  ///< what Spacer's model says, as cells
  std::string detail;                     ///< why there is neither; empty: there is
};

/// Bounded model checking: one solver, a query a depth.
[[nodiscard]] LevelAnswer find_level_run(const LevelProblem& problem, const LevelLimits& limits);
/// Spacer, a fresh context.
[[nodiscard]] LevelAnswer find_level_invariant(const LevelProblem& problem,
                                               const LevelLimits& limits);

}  // namespace assay::smt
