#pragma once

#include <cstddef>
#include <vector>

#include "assay/model/tensor.hpp"

namespace assay::automata {

/// y = x W + b for many rows x at once, in double: every y_j is b_j and then x_i W_ij added for
/// rising i, without fused operations, so the bits are the same on every machine.
struct AffinePanels {
  static constexpr std::size_t kPanel = 8;
  static constexpr std::size_t round_to_panel(std::size_t n) {
    return (n + kPanel - 1) / kPanel * kPanel;
  }

  std::size_t in = 0, out = 0, padded = 0;  ///< padded: columns of a row of y
  std::vector<double> panels;               ///< W in panels of kPanel columns
  std::vector<double> bias;                 ///< [padded]

  AffinePanels() = default;
  /// Zeros, to be filled through `at` and `bias`.
  AffinePanels(std::size_t rows, std::size_t columns);
  [[nodiscard]] static AffinePanels of(const Tensor& weights, const Tensor& bias, std::size_t in,
                                       std::size_t out);

  double& at(std::size_t i, std::size_t j) {
    return panels[(j / kPanel * in + i) * kPanel + j % kPanel];
  }
  /// y has `rows` rows of `padded` numbers.
  void apply(const double* x, std::size_t x_stride, std::size_t rows, double* y) const;
};

}  // namespace assay::automata
