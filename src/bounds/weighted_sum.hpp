#pragma once

#include <algorithm>
#include <limits>

#include "assay/num/interval.hpp"

namespace assay::bounds {

/// Weights below it are only said to lie in [0, kWeightFloor]: room for a checker whose exponential ends
/// at 2^-860.
constexpr double kWeightFloor = 0x1p-800;

/// The relative room that a head's weights leave to a checker whose scores are rounded more coarsely than
/// ours: it grows with the largest |score| and with `unevenness`, by which a row of keys may be larger
/// than the key it becomes.
[[nodiscard]] inline double weight_room(double largest_score, double unevenness) {
  return 0x1p-32 + 0x1p-37 * largest_score * unevenness;
}

/// e^(s − top), a weight, with room; in [0, 1], nothing more, once the room is above 1/16.
[[nodiscard]] inline Interval attention_weight(Interval s, double top, double room) {
  if (!(room <= 0x1p-4)) {
    return {0.0, 1.0};
  }
  const Interval w = exp(s - Interval(top));
  return {w.lo < kWeightFloor ? 0 : w.lo * (1 - room),
          (w.hi < kWeightFloor ? kWeightFloor : w.hi) * (1 + room)};
}

/// The room above a number L for values of this size, known to within `radius`.
[[nodiscard]] inline double number_room(double largest_value, double radius, double unevenness) {
  return std::max(0x1p-32, 4 * radius + 0x1p-37 * largest_value * unevenness);
}

/// Upper end of w d for w in [lo, hi], lo >= 0: never above 0 when d is not. NaN stays NaN.
[[nodiscard]] inline double weighted_hi(double lo, double hi, double d) {
  return d > 0 ? round_up(hi * d) : std::min(round_up(lo * d), 0.0);
}

/// Upper end of a + b, with the same care for the sign: a zero stays a zero.
[[nodiscard]] inline double sum_hi(double a, double b) {
  const double s = round_up(a + b);
  return a <= 0 && b <= 0 ? std::min(s, 0.0) : s;
}

/// The largest w (ν − L) of one position, over tokens that are given one by one.
class LargestTerm {
 public:
  /// w in [lo, hi], ν within radius of mid; false when the product is too large to be believed.
  bool add(double lo, double hi, double mid, double radius, double L) {
    const double d = (mid + radius) - L;
    const double slack = 0x1p-51 * ((mid < 0 ? -mid : mid) + radius + (L < 0 ? -L : L));
    const double above = d + slack;
    const double term = above >= 0 ? hi * above : lo * above;
    top_ = term > top_ ? term : top_;
    below_ = below_ && above <= 0;
    return term < kLargest && term > -kLargest;
  }
  /// t + 8u|t| is above the exact product of the upper ends and rises with t, so it may be applied
  /// to the maximum; weights are >= 0, so no ν above L leaves a maximum <= 0.
  [[nodiscard]] double hi() const {
    const double t = round_up(top_ + 0x1p-50 * (top_ < 0 ? -top_ : top_));
    return below_ ? std::min(t, 0.0) : t;
  }

  static constexpr double kLargest = 1e300;  ///< beyond it w (ν − L) could overflow unnoticed

 private:
  double top_ = -std::numeric_limits<double>::infinity();
  bool below_ = true;
};

}  // namespace assay::bounds
