#include "level_search.hpp"
#include "level_terms.hpp"
#include "solver.hpp"

namespace assay::smt {
namespace {

/// One position of a run: its control, its numbers, the step taken there.
struct Position {
  z3::expr control, step;
  z3::expr_vector x;

  Position(z3::context& c, std::size_t at, std::size_t levels)
      : control(c.int_const(("c" + std::to_string(at)).c_str())),
        step(c.int_const(("s" + std::to_string(at)).c_str())),
        x(c) {
    for (std::size_t l = 0; l < levels; ++l) {
      x.push_back(c.real_const(("x" + std::to_string(at) + "_" + std::to_string(l)).c_str()));
    }
  }
};

z3::expr one_of(z3::context& c, const z3::expr& value, const std::vector<std::size_t>& numbers) {
  z3::expr_vector any(c);
  for (const std::size_t n : numbers) {
    any.push_back(value == c.int_val(static_cast<unsigned>(n)));
  }
  return z3::mk_or(any);
}

void add_start(z3::solver& solver, const LevelProblem& problem, const Position& first) {
  z3::context& c = solver.ctx();
  solver.add(one_of(c, first.control, problem.start));
  for (std::size_t l = 0; l < problem.initial.size(); ++l) {
    solver.add(first.x[static_cast<unsigned>(l)] == c.real_val(problem.initial[l].c_str()));
  }
}

void add_step(z3::solver& solver, const LevelProblem& problem, const Position& now,
              const Position& next) {
  z3::context& c = solver.ctx();
  solver.add(now.step >= 0 && now.step < c.int_val(static_cast<unsigned>(problem.steps.size())));
  for (std::size_t i = 0; i < problem.steps.size(); ++i) {
    const LevelProblem::Step& step = problem.steps[i];
    z3::expr_vector all(c);
    all.push_back(now.control == c.int_val(static_cast<unsigned>(step.from)));
    all.push_back(next.control == c.int_val(static_cast<unsigned>(step.to)));
    for (const LevelProblem::Row& row : step.conditions) {
      all.push_back(level_row(c, row, now.x));
    }
    for (std::size_t l = 0; l < step.update.size(); ++l) {
      all.push_back(next.x[static_cast<unsigned>(l)] ==
                    level_sum(c, step.update[l].terms, step.update[l].constant, now.x));
    }
    solver.add(z3::implies(now.step == c.int_val(static_cast<unsigned>(i)), z3::mk_and(all)));
  }
}

}  // namespace

std::string level_bmc(const LevelProblem& problem, const LevelLimits& limits) {
  LimitedConfig config({limits.resources, static_cast<unsigned>(limits.seconds) * 1000});
  z3::context c(config);
  z3::solver solver(c);
  std::vector<std::size_t> bad;
  for (std::size_t i = 0; i < problem.controls; ++i) {
    if (problem.bad[i]) {
      bad.push_back(i);
    }
  }
  std::vector<Position> run;
  run.emplace_back(c, 0, problem.initial.size());
  add_start(solver, problem, run[0]);
  for (std::size_t depth = 1; depth <= limits.depth; ++depth) {
    run.emplace_back(c, depth, problem.initial.size());
    add_step(solver, problem, run[depth - 1], run[depth]);
    solver.push();
    solver.add(one_of(c, run[depth].control, bad));
    const z3::check_result answer = solver.check();
    if (answer == z3::unknown) {
      throw z3::exception(solver.reason_unknown().c_str());
    }
    if (answer == z3::sat) {
      const z3::model model = solver.get_model();
      std::string out = "run";
      for (std::size_t i = 0; i < depth; ++i) {
        out += " " + model.eval(run[i].step, true).get_decimal_string(0);
      }
      return out;
    }
    solver.pop();
  }
  return "none " + std::to_string(limits.depth);
}

}  // namespace assay::smt
