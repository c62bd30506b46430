#pragma once

#include "interval.hpp"

namespace assay_check {

[[nodiscard]] Interval exponential(const Interval& a);      ///< a.hi() <= 690
[[nodiscard]] Interval logarithm(const Interval& a);        ///< a.lo() > 0
[[nodiscard]] Interval reciprocal_root(const Interval& a);  ///< 1/sqrt(a), a.lo() > 0

/// e^x for x <= 0 in plain double: |result − e^x| <= kFastExpError e^x + kFastExpFloor.
[[nodiscard]] double fast_exponential(double x);
inline constexpr double kFastExpError = 0x1p-46;
inline constexpr double kFastExpFloor = 0x1p-860;

/// e^a for a.hi() <= 0, from fast_exponential.
[[nodiscard]] Interval exponential_of_negative(const Interval& a);

}  // namespace assay_check
