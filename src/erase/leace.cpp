#include "assay/erase/leace.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/base/text.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMinPerLabel = 50;
constexpr double kMaskedCorrelation = 1e-3;

void check_counts(const Moments& m) {
  const std::size_t n = m.n();
  const std::size_t ones = m.positive();
  if (ones == 0 || ones == n) {
    throw Refusal("the label is constant on the " + std::to_string(n) + " rows of the fit");
  }
  if (n < 4 * m.d() || ones < kMinPerLabel || n - ones < kMinPerLabel) {
    throw Refusal("too few rows: expected at least " + std::to_string(4 * m.d()) +
                  " rows and 50 of each label, found " + std::to_string(n) + " rows, " +
                  std::to_string(ones) + " labelled 1");
  }
}

/// Solves Sigma a = sigma on the directions that hold variance. Coordinates are first scaled to
/// unit variance, so that one large coordinate cannot mask the others; the eraser does not
/// depend on that scaling.
Eigen::VectorXd solve_masked(const Moments& m, LeaceFit& fit) {
  const auto d = static_cast<Eigen::Index>(m.d());
  Eigen::VectorXd scale(d);
  Eigen::VectorXd sigma(d);
  for (Eigen::Index i = 0; i < d; ++i) {
    const auto k = static_cast<std::size_t>(i);
    scale(i) = m.xx(k, k) > 0 ? 1.0 / std::sqrt(m.xx(k, k)) : 0.0;
    sigma(i) = m.xz(k) * scale(i);
  }
  Eigen::MatrixXd correlation(d, d);
  for (Eigen::Index i = 0; i < d; ++i) {
    for (Eigen::Index j = 0; j < d; ++j) {
      correlation(i, j) =
          m.xx(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) * scale(i) * scale(j);
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(correlation);
  if (eigen.info() != Eigen::Success) {
    throw Refusal("the eigenvalues of the covariance were not found");
  }
  const double cut = eigen.eigenvalues().maxCoeff() * static_cast<double>(d) * 0x1p-46;
  Eigen::VectorXd solution = Eigen::VectorXd::Zero(d);
  for (Eigen::Index k = 0; k < d; ++k) {
    const double along = eigen.eigenvectors().col(k).dot(sigma);
    const double lambda = eigen.eigenvalues()(k);
    if (lambda > cut) {
      solution += eigen.eigenvectors().col(k) * (along / lambda);
      ++fit.rank;
      continue;
    }
    ++fit.masked;
    // In exact arithmetic |along| <= sqrt(lambda p q); the cut bounds what rounding may leave.
    fit.masked_sigma =
        std::max(fit.masked_sigma, std::fabs(along) / std::sqrt(std::max(cut, lambda) * m.zz()));
  }
  return solution.cwiseProduct(scale);
}

double squared_norm(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double e : v) {
    sum += e * e;
  }
  return sum;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// v = x - L c with c = R (x - mu): the deployed order, sums from index 0 up.
double pull(const Eraser& e, std::span<const float> x) {
  double c = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    c += e.proj_right[j] * (static_cast<double>(x[j]) - e.bias[j]);
  }
  return c;
}

}  // namespace

double confidence_floor(std::size_t d, std::size_t n) {
  const double t = std::log(1e6);
  const auto k = static_cast<double>(d);
  return (k + 2.0 * std::sqrt(k * t) + 2.0 * t) / static_cast<double>(n);
}

double canonical_r2(const Moments& moments) {
  LeaceFit fit;
  const Eigen::VectorXd a = solve_masked(moments, fit);
  double q2 = 0.0;
  for (std::size_t i = 0; i < moments.d(); ++i) {
    q2 += moments.xz(i) * a(static_cast<Eigen::Index>(i));
  }
  return q2 / moments.zz();
}

LeaceFit fit_leace(const Moments& moments) {
  check_counts(moments);
  LeaceFit fit;
  const std::size_t d = moments.d();
  const Eigen::VectorXd a = solve_masked(moments, fit);
  double q2 = 0.0;
  for (std::size_t i = 0; i < d; ++i) {
    q2 += moments.xz(i) * a(static_cast<Eigen::Index>(i));
  }
  fit.canonical_r2 = q2 / moments.zz();
  fit.floor_r2 = confidence_floor(d, moments.n());
  if (!(fit.canonical_r2 > fit.floor_r2)) {
    throw Refusal("the squared canonical correlation " + decimal(fit.canonical_r2) +
                  " does not exceed the confidence floor " + decimal(fit.floor_r2) +
                  ": there is no linear concept to erase, or too few rows to see it");
  }
  if (fit.masked_sigma > kMaskedCorrelation) {
    throw Refusal(
        "a direction of the site without measurable variance holds part of the covariance with "
        "the label (correlation " +
        decimal(fit.masked_sigma) + ")");
  }
  Eraser& e = fit.eraser;
  const double q = std::sqrt(q2);
  for (std::size_t i = 0; i < d; ++i) {
    e.proj_left.push_back(moments.xz(i) / q);
    e.proj_right.push_back(a(static_cast<Eigen::Index>(i)) / q);
    e.bias.push_back(moments.mean()[i]);
  }
  const double rl = dot(e.proj_right, e.proj_left);
  for (double& r : e.proj_right) {
    r /= rl;
  }
  // I - L R with R L = 1 is an oblique projector: its norm is ||L|| ||R|| (d > 1).
  fit.operator_norm = std::sqrt(squared_norm(e.proj_left) * squared_norm(e.proj_right));
  return fit;
}

void deploy(const Eraser& eraser, std::span<const float> x, std::span<std::int32_t> y) {
  require(x.size() == eraser.d() && y.size() == eraser.d(), "deploy: a row of another width");
  const double c = pull(eraser, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = static_cast<double>(x[i]) - eraser.proj_left[i] * c;
    // Ties to even: the rounding mode is never changed here, and scaling by 2^g is exact.
    const double rounded = std::nearbyint(std::ldexp(v, eraser.grid_bits));
    if (!(std::fabs(rounded) < static_cast<double>(kMaxGridValue))) {
      throw Refusal("output " + std::to_string(i) + " of a row, " + decimal(v) +
                    ", leaves the grid of " + std::to_string(eraser.grid_bits) +
                    " bits (|Y| < 2^24); take fewer grid bits");
    }
    y[i] = static_cast<std::int32_t>(rounded);
  }
}

int choose_grid_bits(const Eraser& eraser, std::span<const float> x, int wanted) {
  require(wanted >= 0 && wanted <= kMaxGridBits, "choose_grid_bits: bits outside 0 … 24");
  const std::size_t d = eraser.d();
  double largest = 0.0;
  for (std::size_t at = 0; at + d <= x.size(); at += d) {
    const std::span<const float> row = x.subspan(at, d);
    const double c = pull(eraser, row);
    for (std::size_t i = 0; i < d; ++i) {
      largest = std::max(largest, std::fabs(static_cast<double>(row[i]) - eraser.proj_left[i] * c));
    }
  }
  int bits = wanted;
  while (bits >= 0 && !(std::ldexp(largest, bits) + 1.0 < 0x1p23)) {
    --bits;
  }
  if (bits < kMinGridBits) {
    throw Refusal("outputs as large as " + decimal(largest) + " need a grid coarser than 2^-" +
                  std::to_string(kMinGridBits));
  }
  return bits;
}

Readout compose(const Readout& after, const Eraser& eraser) {
  require(after.weights.size() == eraser.d(), "compose: a readout of another width");
  const double wl = dot(after.weights, eraser.proj_left);
  Readout raw{
      eraser.hook, after.weights, after.bias + wl * dot(eraser.proj_right, eraser.bias), {}};
  for (std::size_t j = 0; j < raw.weights.size(); ++j) {
    raw.weights[j] -= wl * eraser.proj_right[j];
  }
  return raw;
}

}  // namespace assay::erase
