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
  [[nodiscard]] Interval gelu(double x) const;
  [[nodiscard]] double grid(std::size_t i) const;

  ActKind kind_;
  // Filled where they are asked for. Point i of the grid is i 2^-8 − 8.
  mutable std::vector<double> grid_;  ///< act there, off by at most grid_error_; NaN: not yet
  mutable double grid_error_ = 0;
  mutable std::vector<Interval> normal_;  ///< Φ and φ there; [0, 0]: not yet
};

}  // namespace assay_check
