#pragma once

#include <z3++.h>

#include "assay/smt/level_problem.hpp"

namespace assay::smt {

/// Σ coefficient · x + constant
[[nodiscard]] inline z3::expr level_sum(z3::context& c, const LevelProblem::Terms& terms,
                                        const std::string& constant, const z3::expr_vector& x) {
  z3::expr out = c.real_val(constant.c_str());
  for (const auto& [level, coefficient] : terms) {
    out = out + c.real_val(coefficient.c_str()) * x[static_cast<unsigned>(level)];
  }
  return out;
}

[[nodiscard]] inline z3::expr level_row(z3::context& c, const LevelProblem::Row& row,
                                        const z3::expr_vector& x) {
  const z3::expr sum = level_sum(c, row.terms, "0", x);
  const z3::expr bound = c.real_val(row.bound.c_str());
  return row.strict ? sum < bound : sum <= bound;
}

}  // namespace assay::smt
