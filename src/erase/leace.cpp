#include "assay/erase/leace.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "assay/base/text.hpp"
#include "subspace.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMinPerLabel = 50;
constexpr double kMaskedCorrelation = 1e-3;
constexpr double kTellApart = 1e-6;  ///< sine of the angle between what is erased and what is kept
constexpr std::array<std::pair<Method, const char*>, 4> kMethods = {{{Method::leace, "leace"},
                                                                     {Method::orth, "orth"},
                                                                     {Method::mean, "mean"},
                                                                     {Method::splince, "splince"}}};

std::string label_words(const Moments& m, std::size_t c) {
  return m.labels() == 1 ? "the label" : "label " + std::to_string(c);
}

void check_counts(const Moments& m) {
  const std::size_t n = m.n();
  if (n < 4 * m.d()) {
    throw Refusal("too few rows: expected at least 4 times the width, " +
                  std::to_string(4 * m.d()) + ", found " + std::to_string(n));
  }
  for (std::size_t c = 0; c < m.labels(); ++c) {
    if (!(m.zz(c, c) > 0)) {
      throw Refusal(label_words(m, c) + " is constant on the " + std::to_string(n) +
                    " rows of the fit");
    }
    const std::size_t ones = m.positive(c);
    if (ones < kMinPerLabel || (n - ones < kMinPerLabel && n != ones)) {
      throw Refusal("too few rows: expected at least 50 of each value of " + label_words(m, c) +
                    ", found " + std::to_string(ones) + " of " + std::to_string(n) +
                    " where it is not 0");
    }
  }
}

Eigen::VectorXd variances(const Moments& m, std::size_t count) {
  Eigen::VectorXd out(static_cast<Eigen::Index>(count));
  for (std::size_t c = 0; c < count; ++c) {
    out(static_cast<Eigen::Index>(c)) = m.zz(c, c);
  }
  return out;
}

/// SPLINCE in whitened coordinates: with A the orthonormal directions to erase, Y those to keep and
/// B = (I - Y Y^T) A, the projector I - A (B^T A)^-1 B^T kills A and leaves Y alone.
Eigen::MatrixXd away_from(const Canonical& kept, const Eigen::MatrixXd& a) {
  const Eigen::MatrixXd b = a - kept.directions * (kept.directions.transpose() * a);
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(b);
  if (svd.singularValues().minCoeff() < kTellApart) {
    throw Refusal("a direction of what is to be kept is one of what is to be erased");
  }
  return b;
}

/// L and R of the method, before R is scaled to R L = I.
std::pair<Eigen::MatrixXd, Eigen::MatrixXd> projection(const Moments& m, const Whitening& w,
                                                       const Canonical& erased, Method method,
                                                       std::size_t preserved) {
  if (method == Method::leace) {
    return {erased.basis, w.from_left(erased.directions)};
  }
  if (method == Method::splince) {
    const Canonical kept = canonical(m, w, m.labels() - preserved, preserved);
    return {erased.basis, w.from_left(away_from(kept, erased.directions))};
  }
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(erased.basis);
  const Eigen::MatrixXd q =
      qr.householderQ() * Eigen::MatrixXd::Identity(erased.basis.rows(), erased.basis.cols());
  return {q, q.transpose()};
}

/// ||I - L R||_2 = ||L R||_2 for a projector that is neither 0 nor I; the r x r matrix
/// (L^T L)(R R^T) has the squares of the singular values of L R.
double oblique_norm(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  const Eigen::MatrixXd small = (left.transpose() * left) * (right * right.transpose());
  return std::sqrt(small.eigenvalues().cwiseAbs().maxCoeff());
}

/// E |L R (x - mu)|^2 = tr(L R Sigma R^T L^T), and with it tr Cov(r(x)) / tr Cov(x).
void measure(const Moments& m, const Eigen::MatrixXd& left, const Eigen::MatrixXd& right,
             LeaceFit& fit) {
  const auto d = static_cast<Eigen::Index>(m.d());
  Eigen::MatrixXd sigma(d, d);
  for (Eigen::Index i = 0; i < d; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      sigma(i, j) = sigma(j, i) = m.xx(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    }
  }
  const Eigen::MatrixXd turned = right * sigma;  // [r,d]
  const double moved = (left.transpose() * left * (turned * right.transpose())).trace();
  double shift = 0.0;  // R mu, where the map is linear and not about the mean
  if (fit.eraser.method == name_of(Method::mean)) {
    const Eigen::Map<const Eigen::VectorXd> mu(m.mean().data(), d);
    shift = (left * (right * mu)).squaredNorm();
  }
  fit.mean_square_change = moved + shift;
  fit.kept_share = (sigma.trace() - 2.0 * (turned * left).trace() + moved) / sigma.trace();
}

}  // namespace

std::string name_of(Method method) {
  for (const auto& [known, name] : kMethods) {
    if (known == method) {
      return name;
    }
  }
  require(false, "name_of: an unknown method");
  return {};
}

Method method_of(const std::string& name) {
  for (const auto& [method, known] : kMethods) {
    if (name == known) {
      return method;
    }
  }
  throw UsageError("method: expected leace, orth, mean or splince, found '" + visible(name) + "'");
}

double confidence_floor(std::size_t d, std::size_t n) {
  const double t = std::log(1e6);
  const auto k = static_cast<double>(d);
  return (k + 2.0 * std::sqrt(k * t) + 2.0 * t) / static_cast<double>(n);
}

double canonical_r2(const Moments& moments) {
  const Whitening w(moments);
  const Canonical found = canonical(moments, w, 0, moments.labels());
  return found.squares.empty() ? 0.0 : found.squares.front();
}

LeaceFit fit_leace(const Moments& moments) {
  return fit_eraser(moments, Method::leace);
}

LeaceFit fit_eraser(const Moments& moments, Method method, std::size_t preserved) {
  require((method == Method::splince) == (preserved > 0) && preserved < moments.labels(),
          "fit_eraser: labels to keep belong to splince");
  check_counts(moments);
  const std::size_t count = moments.labels() - preserved;
  const Whitening w(moments);
  const Canonical erased = canonical(moments, w, 0, count);
  LeaceFit fit;
  fit.rank = w.kept();
  fit.masked = w.masked();
  fit.canonical = erased.squares;
  fit.canonical_r2 = erased.squares.empty() ? 0.0 : erased.squares.front();
  fit.floor_r2 = confidence_floor(moments.d(), moments.n());
  fit.above_floor = static_cast<std::size_t>(
      std::count_if(erased.squares.begin(), erased.squares.end(),
                    [&fit](double square) { return square > fit.floor_r2; }));
  if (fit.above_floor == 0) {
    throw Refusal("the squared canonical correlation " + decimal(fit.canonical_r2) +
                  " does not exceed the confidence floor " + decimal(fit.floor_r2) +
                  ": there is no linear concept to erase, or too few rows to see it");
  }
  fit.masked_sigma = w.along_masked(cross(moments, 0, count), variances(moments, count));
  if (fit.masked_sigma > kMaskedCorrelation) {
    throw Refusal(
        "a direction of the site without measurable variance holds part of the covariance with "
        "the label (correlation " +
        decimal(fit.masked_sigma) + ")");
  }
  auto [left, right] = projection(moments, w, erased, method, preserved);
  right = (right * left).partialPivLu().solve(right).eval();
  fit.operator_norm = oblique_norm(left, right);
  Eraser& e = fit.eraser;
  e.method = name_of(method);
  e.rank = erased.squares.size();
  for (Eigen::Index i = 0; i < left.rows(); ++i) {
    for (Eigen::Index k = 0; k < left.cols(); ++k) {
      e.proj_left.push_back(left(i, k));
    }
  }
  for (Eigen::Index k = 0; k < right.rows(); ++k) {
    for (Eigen::Index i = 0; i < right.cols(); ++i) {
      e.proj_right.push_back(right(k, i));
    }
  }
  e.bias.assign(moments.mean().begin(), moments.mean().end());
  if (method == Method::mean) {
    e.bias.assign(moments.d(), 0.0);
  }
  measure(moments, left, right, fit);
  return fit;
}

}  // namespace assay::erase
