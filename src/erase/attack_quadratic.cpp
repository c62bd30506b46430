#include <algorithm>
#include <cmath>

#include "assay/erase/probe.hpp"
#include "attack_probes.hpp"

namespace assay::erase {
namespace {

using Eigen::Index;

constexpr Index kDirections = 16;
constexpr double kSmallest =
    1e-6;  ///< of the largest eigenvalue; below it a direction is not scaled up

Eigen::MatrixXd covariance(const Rows64& rows) {
  const Rows64 centred = rows.rowwise() - rows.colwise().mean();
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(rows.cols(), rows.cols());
  out.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose(),
                                                 1.0 / static_cast<double>(rows.rows()));
  return out.selfadjointView<Eigen::Lower>();
}

Rows64 with_label(const AttackSplit& split, std::uint8_t label) {
  std::vector<Index> rows;
  for (std::size_t i = 0; i < split.z.size(); ++i) {
    if (split.z[i] == label) {
      rows.push_back(static_cast<Index>(i));
    }
  }
  return split.train(rows, Eigen::all);
}

/// The columns of the map x -> u: with W S W^T = I, eigenvectors of W (S_1 - S_0) W^T of the largest
/// |eigenvalues|.
Eigen::MatrixXd directions(const AttackSplit& split) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> all(covariance(split.train));
  const double floor = kSmallest * all.eigenvalues().maxCoeff();
  const Eigen::VectorXd scale =
      all.eigenvalues().unaryExpr([floor](double v) { return v > floor ? 1 / std::sqrt(v) : 0.0; });
  const Eigen::MatrixXd white = all.eigenvectors() * scale.asDiagonal();
  const Eigen::MatrixXd difference =
      white.transpose() * (covariance(with_label(split, 1)) - covariance(with_label(split, 0))) *
      white;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> apart(difference);
  std::vector<Index> order;
  for (Index i = 0; i < difference.rows(); ++i) {
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    return std::fabs(apart.eigenvalues()(a)) > std::fabs(apart.eigenvalues()(b));
  });
  order.resize(static_cast<std::size_t>(std::min(kDirections, difference.rows())));
  return white * apart.eigenvectors()(Eigen::all, order);
}

/// u and all u_i u_j, i <= j.
Matrix squares(const Rows64& u) {
  const Index width = u.cols() + u.cols() * (u.cols() + 1) / 2;
  Matrix out{static_cast<std::size_t>(u.rows()), static_cast<std::size_t>(width), {}};
  for (Index r = 0; r < u.rows(); ++r) {
    for (Index i = 0; i < u.cols(); ++i) {
      out.data.push_back(u(r, i));
    }
    for (Index i = 0; i < u.cols(); ++i) {
      for (Index j = 0; j <= i; ++j) {
        out.data.push_back(u(r, i) * u(r, j));
      }
    }
  }
  return out;
}

}  // namespace

Scores quadratic_scores(const AttackSplit& split) {
  const Eigen::MatrixXd map = directions(split);
  return scores_of(fit_logistic({squares(split.train * map), split.z}, 1e-3),
                   squares(split.test * map));
}

Scores scores_of(const Probe& probe, const Matrix& x) {
  Scores out;
  for (std::size_t i = 0; i < x.rows; ++i) {
    double logit = probe.bias;
    for (std::size_t j = 0; j < x.cols; ++j) {
      logit += probe.weights[j] * x.at(i, j);
    }
    out.push_back(logit);
  }
  return out;
}

}  // namespace assay::erase
