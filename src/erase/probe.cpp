#include "assay/erase/probe.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "assay/base/random.hpp"
#include "assay/erase/moments.hpp"

namespace assay::erase {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;
using Eigen::VectorXd;

constexpr int kMaxSteps = 30;
constexpr double kConverged = 1e-8;

Eigen::Map<const RowMajor> view(const Matrix& m) {
  return {m.data.data(), static_cast<Index>(m.rows), static_cast<Index>(m.cols)};
}

struct Scaling {
  VectorXd mean, inverse_sd;
};

Scaling scaling_of(const Matrix& x) {
  const auto m = view(x);
  Scaling s{m.colwise().mean(), VectorXd::Zero(m.cols())};
  for (Index j = 0; j < m.cols(); ++j) {
    const double var = (m.col(j).array() - s.mean(j)).square().mean();
    s.inverse_sd(j) = var > 0 ? 1.0 / std::sqrt(var) : 0.0;
  }
  return s;
}

/// Standardised inputs with a last column of ones for the bias.
RowMajor standardised(const Matrix& x, const Scaling& s) {
  const auto m = view(x);
  RowMajor out(m.rows(), m.cols() + 1);
  out.leftCols(m.cols()) =
      (m.rowwise() - s.mean.transpose()).array().rowwise() * s.inverse_sd.transpose().array();
  out.col(m.cols()).setOnes();
  return out;
}

double softplus(double t) {
  return t > 0 ? t + std::log1p(std::exp(-t)) : std::log1p(std::exp(t));
}
double sigmoid(double t) {
  return t >= 0 ? 1.0 / (1.0 + std::exp(-t)) : std::exp(t) / (1.0 + std::exp(t));
}

double objective(const VectorXd& logits, const std::vector<std::uint8_t>& z, const VectorXd& w,
                 double ridge) {
  double sum = 0.0;
  for (Index i = 0; i < logits.size(); ++i) {
    sum += softplus(z[static_cast<std::size_t>(i)] == 1 ? -logits(i) : logits(i));
  }
  return sum / static_cast<double>(logits.size()) +
         0.5 * ridge * w.head(w.size() - 1).squaredNorm();
}

double base_rate(const std::vector<std::uint8_t>& z) {
  const auto ones = std::count(z.begin(), z.end(), std::uint8_t{1});
  if (ones == 0 || ones == static_cast<std::ptrdiff_t>(z.size())) {
    throw Refusal("the label is constant on a half of the held-out rows");
  }
  return static_cast<double>(ones) / static_cast<double>(z.size());
}

/// Back from standardised inputs to raw ones.
Probe unscale(const VectorXd& w, double bias, const Scaling& s) {
  Probe probe;
  probe.bias = bias;
  for (Index j = 0; j < s.mean.size(); ++j) {
    probe.weights.push_back(w(j) * s.inverse_sd(j));
    probe.bias -= probe.weights.back() * s.mean(j);
  }
  return probe;
}

/// One Newton direction for the mean log-loss with ridge; also the gradient's largest entry.
VectorXd newton_direction(const RowMajor& x, const std::vector<std::uint8_t>& z,
                          const VectorXd& logits, const VectorXd& w, double ridge,
                          double& gradient_size) {
  const auto n = static_cast<double>(x.rows());
  VectorXd residual(x.rows());
  VectorXd weight(x.rows());
  for (Index i = 0; i < x.rows(); ++i) {
    const double p = sigmoid(logits(i));
    residual(i) = p - static_cast<double>(z[static_cast<std::size_t>(i)]);
    weight(i) = std::sqrt(p * (1.0 - p) / n);
  }
  VectorXd penalty = VectorXd::Constant(w.size(), ridge);
  penalty(w.size() - 1) = 0.0;
  const VectorXd gradient = x.transpose() * residual / n + penalty.cwiseProduct(w);
  const RowMajor weighted = weight.asDiagonal() * x;
  Eigen::MatrixXd hessian = Eigen::MatrixXd::Zero(w.size(), w.size());
  hessian.selfadjointView<Eigen::Lower>().rankUpdate(weighted.transpose());
  // A floor keeps unused (constant) columns and the bias solvable.
  hessian.diagonal() += penalty + VectorXd::Constant(w.size(), 1e-12);
  gradient_size = gradient.cwiseAbs().maxCoeff();
  return hessian.selfadjointView<Eigen::Lower>().ldlt().solve(gradient);
}

}  // namespace

Probe fit_logistic(const ProbeData& train, double ridge) {
  require(train.x.rows == train.z.size() && train.x.rows > 0, "fit_logistic: shapes disagree");
  const double rate = base_rate(train.z);
  const Scaling s = scaling_of(train.x);
  const RowMajor x = standardised(train.x, s);
  VectorXd w = VectorXd::Zero(x.cols());
  w(x.cols() - 1) = std::log(rate / (1.0 - rate));
  VectorXd logits = x * w;
  double value = objective(logits, train.z, w, ridge);
  bool converged = false;
  for (int step = 0; step < kMaxSteps && !converged; ++step) {
    double gradient_size = 0.0;
    const VectorXd direction = newton_direction(x, train.z, logits, w, ridge, gradient_size);
    converged = gradient_size < kConverged;
    double size = 1.0;
    bool moved = false;
    for (int half = 0; half < 20 && !moved && !converged; ++half, size *= 0.5) {
      const VectorXd next = w - size * direction;
      const VectorXd next_logits = x * next;
      const double next_value = objective(next_logits, train.z, next, ridge);
      if (next_value < value) {
        w = next;
        logits = next_logits;
        value = next_value;
        moved = true;
      }
    }
    if (!moved) {
      converged = converged || gradient_size < std::sqrt(kConverged);
      break;
    }
  }
  Probe probe = unscale(w, w(x.cols() - 1), s);
  probe.base_rate = rate;
  probe.cut = std::log(rate / (1.0 - rate));
  probe.converged = converged;
  return probe;
}

Probe fit_least_squares(const ProbeData& train) {
  require(train.x.rows == train.z.size() && train.x.rows > 0, "fit_least_squares: shapes");
  const double rate = base_rate(train.z);
  const Scaling s = scaling_of(train.x);
  const RowMajor x = standardised(train.x, s);
  const Index d = x.cols() - 1;
  VectorXd centred(x.rows());
  for (Index i = 0; i < x.rows(); ++i) {
    centred(i) = static_cast<double>(train.z[static_cast<std::size_t>(i)]) - rate;
  }
  // Orthogonal factors of x itself: normal equations would square its small directions away.
  const VectorXd w = Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(x.leftCols(d)).solve(centred);
  Probe probe = unscale(w, rate - 0.5, s);
  probe.base_rate = rate;
  probe.cut = rate - 0.5;
  return probe;
}

double auc(const std::vector<double>& scores, const std::vector<std::uint8_t>& z) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&scores](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double wins = 0.0;
  double zeros_below = 0.0;
  double ones = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    double tied_zeros = 0.0;
    double tied_ones = 0.0;
    std::size_t j = i;
    for (; j < order.size() && scores[order[j]] == scores[order[i]]; ++j) {
      (z[order[j]] == 1 ? tied_ones : tied_zeros) += 1.0;
    }
    wins += tied_ones * (zeros_below + 0.5 * tied_zeros);
    zeros_below += tied_zeros;
    ones += tied_ones;
    i = j;
  }
  return wins / (ones * zeros_below);
}

ProbeFigures evaluate(const Probe& probe, const ProbeData& test) {
  require(test.x.rows == test.z.size() && test.x.cols == probe.weights.size(), "evaluate: shapes");
  const double rate = base_rate(test.z);
  ProbeFigures f;
  f.n = test.z.size();
  double right = 0.0;
  double recall[2] = {0.0, 0.0};
  std::vector<double> scores(f.n);
  for (std::size_t i = 0; i < f.n; ++i) {
    double logit = probe.bias;
    for (std::size_t j = 0; j < probe.weights.size(); ++j) {
      logit += probe.weights[j] * test.x.at(i, j);
    }
    scores[i] = logit;
    const bool one = test.z[i] == 1;
    f.positive += one ? 1 : 0;
    right += (logit > 0) == one ? 1.0 : 0.0;
    recall[one ? 1 : 0] += (logit > probe.cut) == one ? 1.0 : 0.0;
    f.log_loss += softplus(one ? -logit : logit);
  }
  const auto n = static_cast<double>(f.n);
  const auto ones = static_cast<double>(f.positive);
  f.accuracy = right / n;
  f.majority = std::max(rate, 1.0 - rate);
  f.balanced_accuracy = 0.5 * (recall[1] / ones + recall[0] / (n - ones));
  f.auc = auc(scores, test.z);
  f.log_loss /= n;
  f.constant_loss = -rate * std::log(probe.base_rate) - (1.0 - rate) * std::log1p(-probe.base_rate);
  return f;
}

Matrix ReluFeatures::apply(const Matrix& x) const {
  const std::size_t d = mean.size();
  require(x.cols == d, "ReluFeatures: another width");
  RowMajor scaled = view(x);
  for (std::size_t j = 0; j < d; ++j) {
    const auto column = static_cast<Index>(j);
    scaled.col(column) = (scaled.col(column).array() - mean[j]) * scale[j];
  }
  const RowMajor hidden = scaled * view(directions).transpose();
  Matrix out{x.rows, d + offsets.size(), std::vector<double>(x.rows * (d + offsets.size()))};
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      out.at(i, j) = scaled(static_cast<Index>(i), static_cast<Index>(j));
    }
    for (std::size_t k = 0; k < offsets.size(); ++k) {
      out.at(i, d + k) =
          std::max(hidden(static_cast<Index>(i), static_cast<Index>(k)) + offsets[k], 0.0);
    }
  }
  return out;
}

ReluFeatures make_relu_features(const Matrix& train, std::size_t features, std::uint64_t seed) {
  const Scaling s = scaling_of(train);
  ReluFeatures out;
  out.mean.assign(s.mean.data(), s.mean.data() + s.mean.size());
  out.scale.assign(s.inverse_sd.data(), s.inverse_sd.data() + s.inverse_sd.size());
  out.directions = {features, train.cols, std::vector<double>(features * train.cols)};
  Random random(seed);
  const double size = 1.0 / std::sqrt(static_cast<double>(train.cols));
  for (double& g : out.directions.data) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - random.unit()));
    g = size * radius * std::cos(2.0 * std::numbers::pi * random.unit());
  }
  for (std::size_t k = 0; k < features; ++k) {
    out.offsets.push_back(2.0 * random.unit() - 1.0);
  }
  return out;
}

}  // namespace assay::erase
