#pragma once

#include <z3++.h>

#include <string>
#include <vector>

#include "assay/smt/level_problem.hpp"

namespace assay::smt {

// The work of the child process; each answers in lines of text and throws what Z3 throws.

/// "run S_1 … S_n", or "none D" when no run of at most D steps is bad.
[[nodiscard]] std::string level_bmc(const LevelProblem& problem, const LevelLimits& limits);
/// "cell CONTROL ROWS" lines with rows "<|<= BOUND N LEVEL COEFFICIENT …", after "cells"; or "none WHY".
[[nodiscard]] std::string level_spacer(const LevelProblem& problem, const LevelLimits& limits);

/// Σ coefficient · x
[[nodiscard]] z3::expr level_sum(z3::context& c, const LevelProblem::Terms& terms,
                                 const std::string& constant, const z3::expr_vector& x);
[[nodiscard]] z3::expr level_row(z3::context& c, const LevelProblem::Row& row,
                                 const z3::expr_vector& x);

}  // namespace assay::smt
