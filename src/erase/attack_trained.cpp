#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "assay/base/random.hpp"
#include "attack_probes.hpp"

namespace assay::erase {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr int kSvmPasses = 30, kMlpPasses = 20;
constexpr Index kHidden = 64, kBatch = 64;
constexpr double kRate = 1e-3, kDecay = 1e-4;

std::vector<Index> shuffled(Index n, Random& random) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.below(i)]);
  }
  return order;
}

double gauss(Random& random) {
  return std::sqrt(-2.0 * std::log(1.0 - random.unit())) *
         std::cos(2.0 * std::numbers::pi * random.unit());
}

/// A parameter with Adam's averages.
struct Adam {
  Eigen::MatrixXd value, mean, square;

  explicit Adam(Eigen::MatrixXd start)
      : value(std::move(start)),
        mean(Eigen::MatrixXd::Zero(value.rows(), value.cols())),
        square(mean) {}

  void step(const Eigen::MatrixXd& gradient, int t) {
    mean = 0.9 * mean + 0.1 * gradient;
    square = 0.999 * square + 0.001 * gradient.cwiseAbs2();
    const double a = 1.0 - std::pow(0.9, t), b = 1.0 - std::pow(0.999, t);
    value.array() -= kRate * (mean.array() / a) / ((square.array() / b).sqrt() + 1e-8) +
                     kRate * kDecay * value.array();
  }
};

/// scores = w2 · relu(W1 x + b1) + b2.
struct Mlp {
  Adam w1, b1, w2, b2;

  Mlp(Index d, Random& random)
      : w1(Eigen::MatrixXd::NullaryExpr(
            kHidden, d,
            [&](Index, Index) { return gauss(random) * std::sqrt(2.0 / static_cast<double>(d)); })),
        b1(Eigen::MatrixXd::Zero(kHidden, 1)),
        w2(Eigen::MatrixXd::NullaryExpr(1, kHidden,
                                        [&](Index, Index) { return gauss(random) / 8.0; })),
        b2(Eigen::MatrixXd::Zero(1, 1)) {}

  [[nodiscard]] Eigen::MatrixXd hidden(const Eigen::MatrixXd& x) const {
    return ((w1.value * x).colwise() + b1.value.col(0)).cwiseMax(0.0);
  }
  [[nodiscard]] Eigen::RowVectorXd scores(const Eigen::MatrixXd& h) const {
    return (w2.value * h).array() + b2.value(0, 0);
  }
  /// One step on the mean log-loss of x [d,b] with labels z.
  void train(const Eigen::MatrixXd& x, const Eigen::RowVectorXd& z, int t) {
    const Eigen::MatrixXd h = hidden(x);
    const Eigen::RowVectorXd p = 1.0 / (1.0 + (-scores(h)).array().exp());
    const Eigen::RowVectorXd g = (p - z) / static_cast<double>(z.size());
    const Eigen::MatrixXd back =
        ((w2.value.transpose() * g).array() * (h.array() > 0.0).cast<double>()).matrix();
    w2.step(g * h.transpose(), t);
    b2.step(Eigen::MatrixXd::Constant(1, 1, g.sum()), t);
    w1.step(back * x.transpose(), t);
    b1.step(back.rowwise().sum(), t);
  }
};

}  // namespace

Scores svm_scores(const AttackSplit& split, std::uint64_t seed) {
  const Index n = split.train.rows();
  const auto ones = static_cast<double>(std::count(split.z.begin(), split.z.end(), 1));
  const double zeros = static_cast<double>(n) - ones;
  VectorXd w = VectorXd::Zero(split.train.cols());
  double b = 0.0;
  VectorXd alpha = VectorXd::Zero(n);
  const VectorXd size = split.train.rowwise().squaredNorm().array() + 1.0;  // the bias is a 1
  Random random(seed);
  for (int pass = 0; pass < kSvmPasses; ++pass) {
    for (const Index i : shuffled(n, random)) {
      const bool one = split.z[static_cast<std::size_t>(i)] == 1;
      const double sign = one ? 1.0 : -1.0;
      const double most = 0.5 / (one ? ones : zeros) * 10.0;
      const double gradient = sign * (split.train.row(i).dot(w) + b) - 1.0;
      const double next = std::clamp(alpha(i) - gradient / size(i), 0.0, most);
      const double moved = (next - alpha(i)) * sign;
      if (moved != 0.0) {
        w += moved * split.train.row(i).transpose();
        b += moved;
        alpha(i) = next;
      }
    }
  }
  const VectorXd scores = (split.test * w).array() + b;
  return {scores.data(), scores.data() + scores.size()};
}

Scores mlp_scores(const AttackSplit& split, std::uint64_t seed) {
  Random random(seed);
  Mlp mlp(split.train.cols(), random);
  int t = 0;
  for (int pass = 0; pass < kMlpPasses; ++pass) {
    const std::vector<Index> order = shuffled(split.train.rows(), random);
    for (std::size_t at = 0; at < order.size(); at += kBatch) {
      const auto count =
          static_cast<Index>(std::min(order.size() - at, static_cast<std::size_t>(kBatch)));
      Eigen::MatrixXd x(split.train.cols(), count);
      Eigen::RowVectorXd z(count);
      for (Index i = 0; i < count; ++i) {
        const Index row = order[at + static_cast<std::size_t>(i)];
        x.col(i) = split.train.row(row).transpose();
        z(i) = split.z[static_cast<std::size_t>(row)];
      }
      mlp.train(x, z, ++t);
    }
  }
  const Eigen::RowVectorXd scores = mlp.scores(mlp.hidden(split.test.transpose()));
  return {scores.data(), scores.data() + scores.size()};
}

}  // namespace assay::erase
