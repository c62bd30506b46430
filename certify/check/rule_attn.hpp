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
  const double *value, *scale;  ///< scale: null stands for 1
  double sign, shift;
  double lowered;          ///< L less what the error of ν may add
  double relative, slack;  ///< errors of the product
  std::size_t count;

  /// >= ν(j,u) − L up to its own roundings, which `lowered` and `relative` pay for
  [[nodiscard]] double difference(std::size_t i) const {
    return sign * (scale == nullptr ? 1 : scale[set[i]]) * (value[set[i]] + shift) - lowered;
  }
  /// >= the exact w (ν − L) whose double is t
  [[nodiscard]] double upper(double t) const { return sum_up(t + std::fabs(t) * relative, slack); }
  /// >= the largest w (ν − L)
  [[nodiscard]] double maximum() const;
};

}  // namespace assay_check
