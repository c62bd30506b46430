#pragma once

#include "interval.hpp"

namespace assay_check {

[[nodiscard]] Interval pi();
[[nodiscard]] Interval sine(const Interval& a);    ///< |a| <= 2^21
[[nodiscard]] Interval cosine(const Interval& a);  ///< |a| <= 2^21
[[nodiscard]] Interval error_function(const Interval& a);

}  // namespace assay_check
