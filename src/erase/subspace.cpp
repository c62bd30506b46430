#include "subspace.hpp"

#include <cmath>

namespace assay::erase {
namespace {

constexpr double kRoundingCorrelation = 1e-6;  ///< a canonical correlation of less is rounding
constexpr double kDependentLabel = 1e-10;      ///< eigenvalue of the labels' own correlation

std::size_t at(Eigen::Index i) {
  return static_cast<std::size_t>(i);
}

/// T with T^T Szz T = I on the labels' support: one-hot labels are one dimension short.
Eigen::MatrixXd label_whitening(const Moments& m, std::size_t first, std::size_t count) {
  const auto k = static_cast<Eigen::Index>(count);
  Eigen::VectorXd scale(k);
  Eigen::MatrixXd correlation(k, k);
  for (Eigen::Index a = 0; a < k; ++a) {
    const double variance = m.zz(first + at(a), first + at(a));
    scale(a) = variance > 0 ? 1.0 / std::sqrt(variance) : 0.0;
  }
  for (Eigen::Index a = 0; a < k; ++a) {
    for (Eigen::Index b = 0; b < k; ++b) {
      correlation(a, b) = m.zz(first + at(a), first + at(b)) * scale(a) * scale(b);
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(correlation);
  if (eigen.info() != Eigen::Success) {
    throw Refusal("the eigenvalues of the labels' covariance were not found");
  }
  const Eigen::Index short_of = (eigen.eigenvalues().array() <= kDependentLabel).count();
  const Eigen::Index kept = k - short_of;
  return scale.asDiagonal() * eigen.eigenvectors().rightCols(kept) *
         eigen.eigenvalues().tail(kept).cwiseSqrt().cwiseInverse().asDiagonal();
}

}  // namespace

Eigen::MatrixXd cross(const Moments& m, std::size_t first, std::size_t count) {
  Eigen::MatrixXd s(static_cast<Eigen::Index>(m.d()), static_cast<Eigen::Index>(count));
  for (Eigen::Index i = 0; i < s.rows(); ++i) {
    for (Eigen::Index c = 0; c < s.cols(); ++c) {
      s(i, c) = m.xz(at(i), first + at(c));
    }
  }
  return s;
}

Canonical canonical(const Moments& m, const Whitening& w, std::size_t first, std::size_t count) {
  const Eigen::MatrixXd sigma = cross(m, first, count) * label_whitening(m, first, count);
  if (w.kept() == 0 || sigma.cols() == 0) {  // no direction, or no label, varies
    return {sigma.leftCols(0), Eigen::MatrixXd(static_cast<Eigen::Index>(w.kept()), 0), {}};
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(w.apply(sigma),
                                              Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::VectorXd& rho = svd.singularValues();
  Canonical out;
  while (out.squares.size() < at(rho.size()) &&
         rho(static_cast<Eigen::Index>(out.squares.size())) > kRoundingCorrelation) {
    const double r = rho(static_cast<Eigen::Index>(out.squares.size()));
    out.squares.push_back(r * r);
  }
  const auto rank = static_cast<Eigen::Index>(out.squares.size());
  out.directions = svd.matrixU().leftCols(rank);
  out.basis = sigma * svd.matrixV().leftCols(rank) * rho.head(rank).cwiseInverse().asDiagonal();
  return out;
}

}  // namespace assay::erase
