#include "level_search.hpp"

#include <sstream>

#include "apart.hpp"

namespace assay::smt {
namespace {

LevelAnswer nothing(const std::string& why) {
  return {{}, {}, why};
}

std::string too_large(const LevelProblem& problem, const LevelLimits& limits) {
  return problem.steps.size() <= limits.steps
             ? ""
             : std::to_string(problem.steps.size()) + " steps: not asked";
}

bool read_row(std::istream& in, LevelProblem::Row& row) {
  std::string sign;
  std::size_t terms = 0;
  if (!(in >> sign >> row.bound >> terms)) {
    return false;
  }
  row.strict = sign == "<";
  for (std::size_t i = 0; i < terms; ++i) {
    std::pair<std::size_t, std::string> term;
    if (!(in >> term.first >> term.second)) {
      return false;
    }
    row.terms.push_back(std::move(term));
  }
  return true;
}

}  // namespace

z3::expr level_sum(z3::context& c, const LevelProblem::Terms& terms, const std::string& constant,
                   const z3::expr_vector& x) {
  z3::expr out = c.real_val(constant.c_str());
  for (const auto& [level, coefficient] : terms) {
    out = out + c.real_val(coefficient.c_str()) * x[static_cast<unsigned>(level)];
  }
  return out;
}

z3::expr level_row(z3::context& c, const LevelProblem::Row& row, const z3::expr_vector& x) {
  const z3::expr sum = level_sum(c, row.terms, "0", x);
  const z3::expr bound = c.real_val(row.bound.c_str());
  return row.strict ? sum < bound : sum <= bound;
}

LevelAnswer find_level_run(const LevelProblem& problem, const LevelLimits& limits) {
  if (const std::string why = too_large(problem, limits); !why.empty()) {
    return nothing(why);
  }
  const ApartText answer =
      text_apart([&] { return level_bmc(problem, limits); }, limits.seconds);
  if (!answer.failure.empty()) {
    return nothing(answer.failure);
  }
  std::istringstream in(answer.text);
  std::string word;
  in >> word;
  if (word != "run") {
    std::size_t depth = 0;
    in >> depth;
    return nothing("no run of at most " + std::to_string(depth) + " letters");
  }
  LevelAnswer out;
  for (std::size_t step = 0; in >> step;) {
    out.run.push_back(step);
  }
  return out;
}

LevelAnswer find_level_invariant(const LevelProblem& problem, const LevelLimits& limits) {
  if (const std::string why = too_large(problem, limits); !why.empty()) {
    return nothing(why);
  }
  const ApartText answer =
      text_apart([&] { return level_spacer(problem, limits); }, limits.seconds);
  if (!answer.failure.empty()) {
    return nothing(answer.failure);
  }
  std::istringstream in(answer.text);
  std::string word;
  in >> word;
  if (word != "cells") {
    std::string why;
    std::getline(in, why);
    return nothing("Spacer:" + why);
  }
  LevelAnswer out;
  while (in >> word) {
    LevelCandidate cell;
    std::size_t rows = 0;
    in >> cell.control >> rows;
    for (std::size_t i = 0; i < rows; ++i) {
      LevelProblem::Row row;
      if (!read_row(in, row)) {
        return nothing("Spacer's answer could not be read");
      }
      cell.rows.push_back(std::move(row));
    }
    out.invariant.push_back(std::move(cell));
  }
  return out;
}

}  // namespace assay::smt
