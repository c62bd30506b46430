#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "case.hpp"
#include "elementary.hpp"

namespace assay_check {

/// Bounds of w(j,u)(ν(j,u) − L) for one head and slot, e^{rel_bias} left out; u = set[i], i < count.
struct ReadyCase::Terms {
  const double* weight;
  const std::uint32_t* set;
  const double *value, *error, *size, *scale;  ///< of ν's rows; scale: null stands for 1
  double sign;
  double shift, shift_error, shift_size;  ///< of the position's row
  double spread;                          ///< of the scale
  double lowered;                         ///< L less the offset of ν
  double relative, slack;                 ///< errors of the product
  std::size_t count;

  /// >= ν(j,u) − L up to the rounding of the last subtraction, which `relative` pays for
  [[nodiscard]] double difference(std::size_t i) const {
    const std::uint32_t u = set[i];
    const double row = sign * (value[u] + shift) + (error[u] + shift_error);
    return scale == nullptr ? row - lowered
                            : scale[u] * (row + spread * (size[u] + shift_size)) - lowered;
  }
  /// >= the exact w (ν − L) whose double is t
  [[nodiscard]] double upper(double t) const { return sum_up(t + std::fabs(t) * relative, slack); }
  /// >= the largest w (ν − L)
  [[nodiscard]] double maximum() const;
};

}  // namespace assay_check
