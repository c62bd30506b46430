#pragma once

#include "interval.hpp"

namespace assay_check {

[[nodiscard]] Interval pi();
[[nodiscard]] Interval reciprocal_root(const Interval& a);  ///< 1/sqrt(a), a.lo() > 0
[[nodiscard]] Interval sine(const Interval& a);             ///< |a| <= 2^21
[[nodiscard]] Interval cosine(const Interval& a);           ///< |a| <= 2^21
[[nodiscard]] Interval error_function(const Interval& a);
[[nodiscard]] Interval hyperbolic_tangent(const Interval& a);

/// e^x for x <= 0 in plain double: |result − e^x| <= kFastExpError e^x + kFastExpFloor.
[[nodiscard]] double fast_exponential(double x);
inline constexpr double kFastExpError = 0x1p-46;
inline constexpr double kFastExpFloor = 0x1p-860;

/// e^a for a.hi() <= 0, from fast_exponential.
[[nodiscard]] Interval exponential_of_negative(const Interval& a);

}  // namespace assay_check
