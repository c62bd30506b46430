#pragma once

#include "assay/num/interval.hpp"

namespace assay {

/// pi, enclosed.
inline constexpr Interval kPi{0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};

/// Rigorous cos and sin: reduction by multiples of pi/2 enclosed in two parts, Taylor
/// polynomial with its remainder. [-1, 1] for an argument wider than 1 or above 2^20.
[[nodiscard]] Interval cos(Interval a);
[[nodiscard]] Interval sin(Interval a);

}  // namespace assay
