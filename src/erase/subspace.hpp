#pragma once

#include <Eigen/Dense>
#include <vector>

#include "whitening.hpp"

namespace assay::erase {

/// The canonical directions of x and z: with W Sigma W^T = I and T^T Szz T = I,
///   W Sxz T = U diag(rho) V^T      basis = Sxz T V diag(1/rho), so W basis = U
/// rho falling, as far as it is above rounding. The span of `basis` is the span of Sxz.
struct Canonical {
  Eigen::MatrixXd basis;        ///< [d,r]
  Eigen::MatrixXd directions;   ///< U [kept,r]
  std::vector<double> squares;  ///< rho^2
};

/// Labels `first` … `first + count - 1` of the moments.
[[nodiscard]] Eigen::MatrixXd cross(const Moments& m, std::size_t first, std::size_t count);
[[nodiscard]] Canonical canonical(const Moments& m, const Whitening& w, std::size_t first,
                                  std::size_t count);

}  // namespace assay::erase
