#include "level_solver.hpp"

#include "assay/smt/level_problem.hpp"
#include "level_farkas.hpp"

namespace assay::verify {
namespace {

using smt::LevelProblem;

LevelProblem::Terms to_solver(const Terms& terms) {
  LevelProblem::Terms out;
  for (const auto& [level, coefficient] : terms) {
    out.emplace_back(level, exact_text(coefficient));
  }
  return out;
}

LevelProblem::Row to_solver(const Row& row) {
  return {to_solver(row.terms), exact_text(row.bound), row.strict};
}

Row from_solver(const LevelProblem::Row& row) {
  Row out{{}, Exact(row.bound), row.strict};
  for (const auto& [level, coefficient] : row.terms) {
    if (const Exact factor(coefficient); factor != 0) {
      out.terms.emplace_back(level, factor);
    }
  }
  return out;
}

/// One step of the problem for each leaf whose comparisons do not contradict each other; `moves` says which
/// edge and letter it is.
class Steps {
 public:
  explicit Steps(const LevelSystem& system) : path_(system.levels.size()) {
    for (const Exact& value : system.initial) {
      problem.initial.push_back(exact_text(value));
    }
    problem.controls = system.controls.size();
    problem.start = system.start;
    for (std::size_t c = 0; c < system.controls.size(); ++c) {
      problem.bad.push_back(system.controls[c].bad);
      for (const LevelBranch& branch : system.controls[c].branches) {
        add(c, branch, *branch.root);
      }
    }
  }

  LevelProblem problem;
  std::vector<std::pair<std::size_t, std::size_t>> moves;

 private:
  void add(std::size_t from, const LevelBranch& branch, const LevelNode& node) {
    if (node.is_leaf()) {
      LevelProblem::Step step{from, node.to, {}, {}};
      for (const Row& row : path_.rows()) {
        step.conditions.push_back(to_solver(row));
      }
      for (const Form& form : node.update) {
        step.update.push_back({to_solver(form.terms), exact_text(form.constant)});
      }
      problem.steps.push_back(std::move(step));
      moves.emplace_back(branch.edge, branch.letter);
      return;
    }
    add_under(node.split, from, branch, *node.yes);
    add_under(node.split.negated(), from, branch, *node.no);
  }
  void add_under(const Row& row, std::size_t from, const LevelBranch& branch,
                 const LevelNode& node) {
    path_.push(row);
    if (!path_.contradiction()) {
      add(from, branch, node);
    }
    path_.pop();
  }

  LevelRows path_;
};

smt::LevelLimits limits_of(const LevelEffort& effort) {
  smt::LevelLimits limits;
  limits.seconds = effort.solver_seconds;
  limits.resources = effort.solver_resources;
  limits.depth = effort.depth;
  limits.careless = effort.careless_spacer;
  limits.instead = effort.instead;
  return limits;
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> moves_by_solver(const LevelSystem& system,
                                                                 const LevelEffort& effort,
                                                                 std::string& why) {
  const Steps steps(system);
  const smt::LevelAnswer answer = smt::find_level_run(steps.problem, limits_of(effort));
  why = answer.detail;
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (const std::size_t step : answer.run) {
    out.push_back(steps.moves.at(step));
  }
  return out;
}

std::vector<LevelCell> cells_by_solver(const LevelSystem& system, const LevelEffort& effort,
                                       std::string& why) {
  const smt::LevelAnswer answer =
      smt::find_level_invariant(Steps(system).problem, limits_of(effort));
  why = answer.detail;
  std::vector<LevelCell> out;
  for (const smt::LevelCandidate& candidate : answer.invariant) {
    LevelCell cell{candidate.control, {}};
    for (const LevelProblem::Row& row : candidate.rows) {
      cell.rows.push_back(from_solver(row));
    }
    if (!system.controls[candidate.control].bad) {
      out.push_back(std::move(cell));
    }
  }
  return out;
}

}  // namespace assay::verify
