#pragma once

#include <vector>

#include "interval.hpp"

namespace assay_check {

enum class ActKind { relu, gelu, gelu_new };

/// The MLP's activation function: relu(x), x Φ(x), or ½x(1 + tanh(√(2/π)(x + 0.044715 x³))).
class Activation {
 public:
  explicit Activation(ActKind kind);

  [[nodiscard]] Interval value(const Interval& x) const;
  /// Contains act(z) − a z for every z of the range.
  [[nodiscard]] Interval residual(const Interval& z, double a) const;

 private:
  [[nodiscard]] Interval point(double x) const;

  ActKind kind_;
  std::vector<double> grid_;  ///< act(i 2^-8 − 8), each off by at most grid_error_
  double grid_error_ = 0;
};

}  // namespace assay_check
