#include "whitening.hpp"

#include <algorithm>
#include <cmath>

namespace assay::erase {
namespace {

/// A coordinate keeps at least this share of its variance beside the earlier ones: far above what
/// rounding does, so that no direction needs to be masked.
constexpr double kConditionalVariance = 1e-8;

std::size_t at(Eigen::Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

Whitening::Whitening(const Moments& m) {
  const auto d = static_cast<Eigen::Index>(m.d());
  scale_.resize(d);
  for (Eigen::Index i = 0; i < d; ++i) {
    const double variance = m.xx(at(i), at(i));
    scale_(i) = variance > 0 ? 1.0 / std::sqrt(variance) : 0.0;
  }
  Eigen::MatrixXd correlation(d, d);
  for (Eigen::Index i = 0; i < d; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      correlation(i, j) = m.xx(at(i), at(j)) * scale_(i) * scale_(j);
    }
  }
  const Eigen::LLT<Eigen::MatrixXd> cholesky(correlation);
  if (cholesky.info() == Eigen::Success) {
    const Eigen::MatrixXd factor = cholesky.matrixL();
    const double least = factor.diagonal().minCoeff();
    if (least * least > kConditionalVariance) {
      triangular_ = true;
      factor_ = factor;
      kept_ = m.d();
      return;
    }
  }
  factor_by_eigenvectors(correlation);
}

void Whitening::factor_by_eigenvectors(const Eigen::MatrixXd& correlation) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(correlation);  // the lower triangle
  if (eigen.info() != Eigen::Success) {
    throw Refusal("the eigenvalues of the covariance were not found");
  }
  const Eigen::VectorXd& values = eigen.eigenvalues();  // rising
  const Eigen::Index d = values.size();
  const double cut = values(d - 1) * static_cast<double>(d) * 0x1p-46;
  const Eigen::Index masked = (values.array() <= cut).count();
  masked_ = at(masked);
  kept_ = at(d - masked);
  factor_ = eigen.eigenvectors().rightCols(d - masked);
  roots_ = values.tail(d - masked).cwiseSqrt();
  masked_vectors_ = eigen.eigenvectors().leftCols(masked);
  masked_values_ = values.head(masked).cwiseMax(cut);
}

Eigen::MatrixXd Whitening::apply(const Eigen::MatrixXd& m) const {
  const Eigen::MatrixXd scaled = scale_.asDiagonal() * m;
  if (triangular_) {
    return factor_.triangularView<Eigen::Lower>().solve(scaled);
  }
  return roots_.cwiseInverse().asDiagonal() * (factor_.transpose() * scaled);
}

Eigen::MatrixXd Whitening::from_left(const Eigen::MatrixXd& u) const {
  if (triangular_) {
    const Eigen::MatrixXd solved = factor_.triangularView<Eigen::Lower>().transpose().solve(u);
    return solved.transpose() * scale_.asDiagonal();
  }
  const Eigen::MatrixXd turned = factor_ * (roots_.cwiseInverse().asDiagonal() * u);
  return turned.transpose() * scale_.asDiagonal();
}

double Whitening::along_masked(const Eigen::MatrixXd& s, const Eigen::VectorXd& variances) const {
  if (masked_ == 0) {
    return 0.0;
  }
  const Eigen::MatrixXd along = masked_vectors_.transpose() * (scale_.asDiagonal() * s);
  double largest = 0.0;
  for (Eigen::Index i = 0; i < along.rows(); ++i) {
    for (Eigen::Index c = 0; c < along.cols(); ++c) {
      largest =
          std::max(largest, std::fabs(along(i, c)) / std::sqrt(masked_values_(i) * variances(c)));
    }
  }
  return largest;
}

}  // namespace assay::erase
