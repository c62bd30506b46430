#pragma once

#include <string>

#include "assay/smt/level_problem.hpp"

namespace assay::smt {

// The work of the child process; each answers in lines of text and throws when it has no answer.

/// "run S_1 … S_n", or "none D" when no run of at most D steps is bad.
[[nodiscard]] std::string level_bmc(const LevelProblem& problem, const LevelLimits& limits);
/// "cell CONTROL ROWS" lines with rows "<|<= BOUND N LEVEL COEFFICIENT …", after "cells"; or "none WHY".
[[nodiscard]] std::string level_spacer(const LevelProblem& problem, const LevelLimits& limits);

}  // namespace assay::smt
