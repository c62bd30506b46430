#pragma once

#include <Eigen/Core>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/tensor.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::RowVectorXd;

inline Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

/// A matrix of reals known entry by entry as mid ± radius.
struct Ball {
  Rows mid;
  Rows radius;

  [[nodiscard]] Interval at(Eigen::Index r, Eigen::Index c) const {
    return {round_down(mid(r, c) - radius(r, c)), round_up(mid(r, c) + radius(r, c))};
  }
  [[nodiscard]] bool is_finite() const { return mid.allFinite() && radius.allFinite(); }
};

/// Exact: the float32 block [rows, cols] that starts at `offset`.
[[nodiscard]] Ball exact(const Tensor& t, std::size_t offset, std::size_t rows, std::size_t cols);
/// Exact; an absent bias is zeros: [1, n].
[[nodiscard]] Ball exact_bias(const Tensor& t, std::size_t offset, std::size_t n);

/// A B. |fl(AB) - AB| <= gamma_n |A||B| in any order of summation, fused or not (Higham, Accuracy
/// and Stability, 3.5); the radius is evaluated in double and doubled, which covers its own
/// rounding (n < 2^20) and leaves room for a checker that rounds after every operation.
[[nodiscard]] Ball product(const Ball& a, const Ball& b);
/// a plus the one row b, added to every row.
[[nodiscard]] Ball plus_row(const Ball& a, const Ball& b);

/// gamma_n with its denominator, rounded up: n u / (1 - n u), u = 2^-53.
[[nodiscard]] inline double gamma(Eigen::Index n) {
  return static_cast<double>(n + 2) * 0x1.0001p-53;
}

}  // namespace assay::bounds
