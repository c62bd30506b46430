#pragma once

#include <Eigen/Dense>

#include "assay/erase/moments.hpp"

namespace assay::erase {

/// A linear map W with W Sigma W^T = I on the directions of x that hold variance: the inverse of the
/// Cholesky factor where Sigma is well conditioned, else eigenvectors over roots of eigenvalues, with
/// directions below rounding masked. Coordinates are first scaled to unit variance, so that one large
/// coordinate cannot mask the others.
///   any W of this kind gives the same W^+ Pi W: two of them differ by a rotation
class Whitening {
 public:
  /// Throws Refusal when the eigenvalues are not found.
  explicit Whitening(const Moments& moments);

  [[nodiscard]] Eigen::MatrixXd apply(const Eigen::MatrixXd& m) const;      ///< W m, m [d,c]
  [[nodiscard]] Eigen::MatrixXd from_left(const Eigen::MatrixXd& u) const;  ///< u^T W

  [[nodiscard]] std::size_t kept() const { return kept_; }
  [[nodiscard]] std::size_t masked() const { return masked_; }
  /// Largest |correlation| of a column of s (covariances with labels of these variances) along a
  /// masked direction. In exact arithmetic it would be at most 1; the cut bounds what rounding leaves.
  [[nodiscard]] double along_masked(const Eigen::MatrixXd& s,
                                    const Eigen::VectorXd& variances) const;

 private:
  void factor_by_eigenvectors(const Eigen::MatrixXd& correlation);

  Eigen::VectorXd scale_;  ///< 1 / sd, 0 for a constant coordinate
  bool triangular_ = false;
  Eigen::MatrixXd factor_;  ///< Cholesky factor, or the kept eigenvectors [d,kept]
  Eigen::VectorXd roots_;   ///< roots of the kept eigenvalues
  Eigen::MatrixXd masked_vectors_;
  Eigen::VectorXd masked_values_;  ///< max(cut, eigenvalue)
  std::size_t kept_ = 0, masked_ = 0;
};

}  // namespace assay::erase
