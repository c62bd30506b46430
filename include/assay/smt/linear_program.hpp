#pragma once

#include "assay/num/linear_problem.hpp"

namespace assay::smt {

/// Z3's rational simplex on the problem, its coefficients rounded to multiples of 2^-30 (at most 2^30). `resources` is Z3's
/// rlimit: the same answer on every machine. nullopt: no minimum within it, or built without Z3.
[[nodiscard]] std::optional<std::vector<double>> minimise(const LinearProblem& problem,
                                                          unsigned resources = 20'000'000);

}  // namespace assay::smt
