#include <algorithm>
#include <cmath>

#include "attack_probes.hpp"

namespace assay::erase {
namespace {

using Eigen::Index;

constexpr Index kKernelRows = 2000;
constexpr std::size_t kNeighbours = 15;
constexpr double kKernelRidge = 1e-3;

/// |a_i - b_j|^2 [a rows, b rows].
Rows64 distances(const Rows64& a, const Rows64& b) {
  Rows64 out = -2.0 * a * b.transpose();
  out.colwise() += a.rowwise().squaredNorm();
  out.rowwise() += b.rowwise().squaredNorm().transpose();
  return out.cwiseMax(0.0);
}

double median(Rows64 values) {
  const auto middle = values.data() + values.size() / 2;
  std::nth_element(values.data(), middle, values.data() + values.size());
  return *middle;
}

Eigen::VectorXd signs(const std::vector<std::uint8_t>& z, Index count) {
  Eigen::VectorXd out(count);
  for (Index i = 0; i < count; ++i) {
    out(i) = z[static_cast<std::size_t>(i)] == 1 ? 1.0 : -1.0;
  }
  return out;
}

}  // namespace

Scores rbf_scores(const AttackSplit& split) {
  const Index n = std::min(split.train.rows(), kKernelRows);
  const Rows64 train = split.train.topRows(n);
  const Rows64 between = distances(train, train);
  const double width = std::max(median(between), 1e-300);
  Eigen::MatrixXd kernel = (-between / width).array().exp();
  kernel.diagonal().array() += kKernelRidge * static_cast<double>(n);
  Eigen::VectorXd target = signs(split.z, n);
  target.array() -= target.mean();
  const Eigen::VectorXd weights = kernel.llt().solve(target);
  const Eigen::VectorXd scores =
      (-distances(split.test, train) / width).array().exp().matrix() * weights;
  return {scores.data(), scores.data() + scores.size()};
}

Scores neighbour_scores(const AttackSplit& split) {
  const Rows64 between = distances(split.test, split.train);
  const auto count = static_cast<std::size_t>(split.train.rows());
  const std::size_t nearest = std::min(kNeighbours, count);
  Scores scores;
  std::vector<std::size_t> order(count);
  for (Index i = 0; i < between.rows(); ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      order[j] = j;
    }
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(nearest - 1),
                     order.end(), [&](std::size_t a, std::size_t b) {
                       return std::pair(between(i, static_cast<Index>(a)), a) <
                              std::pair(between(i, static_cast<Index>(b)), b);
                     });
    double ones = 0.0;
    for (std::size_t j = 0; j < nearest; ++j) {
      ones += split.z[order[j]];
    }
    scores.push_back(ones / static_cast<double>(nearest));
  }
  return scores;
}

}  // namespace assay::erase
