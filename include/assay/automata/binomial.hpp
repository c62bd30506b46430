#pragma once

#include <cstdint>
#include <string>

#include "assay/base/rational.hpp"
#include "assay/num/interval.hpp"

namespace assay::automata {

/// P(X >= k) for X ~ Binomial(n, p), enclosed; 0 < p < 1.
[[nodiscard]] Interval binomial_tail(std::uint64_t n, std::uint64_t k, Interval p);

/// Ends of a confidence interval in millionths, rounded outward.
struct Proportion {
  std::uint32_t lo = 0, hi = 1000000;
};

/// The two-sided Clopper-Pearson interval of k successes in n independent trials (Clopper and
/// Pearson, Biometrika 26, 1934): lo = the p with P(X >= k; p) = alpha/2, hi = the p with
/// P(X <= k; p) = alpha/2, each found by bisection on the grid of millionths and taken from the
/// side where the enclosed tail is surely <= alpha/2, so that coverage is at least 1 - alpha.
/// @pre k <= n, 0 < alpha < 1. n = 0 gives [0, 1].
[[nodiscard]] Proportion clopper_pearson(std::uint64_t k, std::uint64_t n, Rational alpha);

/// "0.031250"
[[nodiscard]] std::string millionths(std::uint32_t value);

}  // namespace assay::automata
