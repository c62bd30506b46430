#include "assay/erase/residual.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <numeric>
#include <span>

#include "assay/base/errors.hpp"
#include "assay/erase/leace.hpp"
#include "dominance.hpp"
#include "exact_sums.hpp"

namespace assay::erase {
namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr std::size_t kExactWidth = 64;  ///< R^2 without rounding: a second at 64, minutes at 256
constexpr std::int64_t kUnit = 1'000'000'000;

/// A, B and C of the header, as one matrix [[A, B], [B^T, C]], on the coordinates that count.
struct SecondMoments {
  IntegerMatrix m;
  std::size_t kept = 0;  ///< coordinates of Y in it
};

/// The coordinates of Y but those that are constant or differ from an earlier one by a constant
/// (A_ii = A_jj = A_ij): an affine predictor of the rest says the same.
std::vector<std::size_t> telling(const IntegerMatrix& m, std::size_t d) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < d; ++i) {
    const bool repeats = std::any_of(kept.begin(), kept.end(), [&m, i](std::size_t j) {
      return m(i, i) == m(j, j) && m(i, j) == m(i, i);
    });
    if (m(i, i) != 0 && !repeats) {
      kept.push_back(i);
    }
  }
  return kept;
}

SecondMoments second_moments(const GridRows& rows, const ExactSums& sums, std::size_t labels) {
  const Integer n = rows.n();
  const std::size_t d = rows.d;
  IntegerMatrix m(d + labels);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      m(i, j) = n * Integer(sums.gram(i, j)) - Integer(sums.y[i]) * sums.y[j];
    }
  }
  for (std::size_t c = 0; c < labels; ++c) {
    for (std::size_t j = 0; j < d; ++j) {
      m(d + c, j) = n * sums.cross[j * rows.labels + c] - Integer(sums.z[c]) * sums.y[j];
    }
    for (std::size_t e = 0; e <= c; ++e) {
      m(d + c, d + e) = n * sums.labels[c * rows.labels + e] - Integer(sums.z[c]) * sums.z[e];
    }
  }
  std::vector<std::size_t> at = telling(m, d);
  const std::size_t kept = at.size();
  if (kept == d) {
    return {std::move(m), d};
  }
  for (std::size_t c = 0; c < labels; ++c) {
    at.push_back(d + c);
  }
  IntegerMatrix less(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      less(i, j) = m(at[i], at[j]);
    }
  }
  return {std::move(less), kept};
}

/// [[A, B], [B^T, tau C]] with the labels' rows and columns times tau's denominator, a congruence.
IntegerMatrix bordered(IntegerMatrix m, std::size_t d, const Rational& tau) {
  for (std::size_t i = d; i < m.size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      m(i, j) *= j < d ? Integer(tau.den) : Integer(tau.den) * tau.num;
    }
  }
  return m;
}

/// Fraction-free elimination of the symmetric matrix on its first `pivots` pivots. A zero pivot of
/// a positive semi-definite A means a zero row: that direction is skipped. Leaves the rest as
/// minors of the kept matrix and returns det of the kept A; `rank` counts what is kept.
Integer eliminate(IntegerMatrix& m, std::size_t pivots, std::size_t& rank) {
  Integer previous = 1;
  rank = 0;
  for (std::size_t k = 0; k < pivots; ++k) {
    const Integer pivot = m(k, k);
    require(pivot >= 0, "exact_residual: a Gram matrix with a negative minor");
    if (pivot == 0) {
      continue;
    }
    ++rank;
    for (std::size_t i = k + 1; i < m.size; ++i) {
      for (std::size_t j = k + 1; j <= i; ++j) {
        // Sylvester: the division is exact. m(j,k) is still the old column entry of row j.
        m(i, j) = (pivot * m(i, j) - m(i, k) * m(j, k)) / previous;
      }
    }
    previous = pivot;
  }
  return previous;
}

/// Positive definite, by dominance where that shows it, else by the signs of all leading minors.
bool is_positive_definite(const IntegerMatrix& m) {
  if (shown_positive_definite(m)) {
    return true;
  }
  if (m.size > kExactWidth + 1) {
    return false;
  }
  IntegerMatrix work = m;
  Integer previous = 1;
  for (std::size_t k = 0; k < m.size; ++k) {
    const Integer pivot = work(k, k);
    if (pivot <= 0) {
      return false;
    }
    for (std::size_t i = k + 1; i < m.size; ++i) {
      for (std::size_t j = k + 1; j <= i; ++j) {
        work(i, j) = (pivot * work(i, j) - work(i, k) * work(j, k)) / previous;
      }
    }
    previous = pivot;
  }
  return true;
}

std::size_t count_distinct(const GridRows& rows) {
  std::vector<std::size_t> order(rows.n());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto row = [&rows](std::size_t r) { return std::span(rows.y).subspan(r * rows.d, rows.d); };
  std::sort(order.begin(), order.end(), [&row](std::size_t a, std::size_t b) {
    return std::lexicographical_compare(row(a).begin(), row(a).end(), row(b).begin(), row(b).end());
  });
  std::size_t distinct = order.empty() ? 0 : 1;
  for (std::size_t k = 1; k < order.size(); ++k) {
    distinct +=
        std::equal(row(order[k]).begin(), row(order[k]).end(), row(order[k - 1]).begin()) ? 0 : 1;
  }
  return distinct;
}

/// num / den as a double without overflow of either.
double ratio(const Integer& num, const Integer& den) {
  constexpr unsigned kShift = 80;
  const Integer scaled = (num << kShift) / den;
  return std::ldexp(scaled.convert_to<double>(), -static_cast<int>(kShift));
}

void check(const GridRows& rows, const ExactSums& sums) {
  for (std::size_t c = 0; c < rows.labels; ++c) {
    if (sums.z[c] == 0 || sums.z[c] == static_cast<std::int64_t>(rows.n())) {
      throw Refusal((rows.labels == 1 ? "the label" : "label " + std::to_string(c)) +
                    " is constant on the " + std::to_string(rows.n()) + " rows of the residual");
    }
  }
}

/// R^2 of one label without rounding; tau is the smallest k / 10^9 above it.
void eliminate_exactly(IntegerMatrix m, Residual& out) {
  const Integer corner = m(out.kept, out.kept);
  m(out.kept, out.kept) = 0;
  const Integer det = eliminate(m, out.kept, out.rank);
  // Schur: det [[A, b], [b^T, 0]] = -det A (b^T A^-1 b).
  Integer num = -m(out.kept, out.kept);
  Integer den = det * corner;
  const Integer common = boost::multiprecision::gcd(num, den);
  if (common > 1) {
    num /= common;
    den /= common;
  }
  out.numerator = num.str();
  out.denominator = den.str();
  out.r2 = ratio(num, den);
  const Integer k = num * kUnit / den + 1;
  out.tau = k >= kUnit ? Rational{1, 1} : parse_rational(k.str() + "/" + std::to_string(kUnit));
}

/// The largest eigenvalue of C^-1 B^T A^-1 B in double, after scaling the diagonal to 1.
double largest_square(const IntegerMatrix& m, std::size_t d) {
  const auto n = static_cast<Eigen::Index>(m.size), rows = static_cast<Eigen::Index>(d);
  Eigen::VectorXd scale(n);
  const auto at = [&m](Eigen::Index i, Eigen::Index j) {
    return m(static_cast<std::size_t>(i), static_cast<std::size_t>(j)).convert_to<double>();
  };
  for (Eigen::Index i = 0; i < n; ++i) {
    scale(i) = at(i, i) > 0 ? 1.0 / std::sqrt(at(i, i)) : 0.0;
  }
  Eigen::MatrixXd r(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      r(i, j) = r(j, i) = at(i, j) * scale(i) * scale(j);
    }
  }
  const Eigen::LLT<Eigen::MatrixXd> a(r.topLeftCorner(rows, rows));
  const Eigen::LLT<Eigen::MatrixXd> c(r.bottomRightCorner(n - rows, n - rows));
  if (a.info() != Eigen::Success || c.info() != Eigen::Success) {
    return 1.0;  // a direction without variance, or dependent labels: nothing to certify
  }
  const Eigen::MatrixXd whitened =
      c.matrixL().solve(a.matrixL().solve(r.topRightCorner(rows, n - rows)).transpose());
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(whitened);
  return svd.singularValues()(0) * svd.singularValues()(0);
}

/// The smallest of a few tau above `r2` at which the matrix is shown definite. Where the concept is
/// read from a direction of rounding noise alone, the matrix is as close to singular as tau is to R^2.
void raise_tau(const IntegerMatrix& m, Residual& out) {
  out.r2 = largest_square(m, out.kept);
  out.tau = {1, 1};
  for (const double room : {0x1p-8, 0x1p-3, 1.0}) {
    const double k = std::ceil(out.r2 * (1.0 + room) * static_cast<double>(kUnit)) + 1.0;
    if (!(k < static_cast<double>(kUnit))) {
      return;
    }
    const Rational tau =
        parse_rational(std::to_string(static_cast<std::int64_t>(k)) + "/" + std::to_string(kUnit));
    if (shown_positive_definite(bordered(m, out.kept, tau))) {
      out.tau = tau;
      out.rank = out.kept;
      return;
    }
  }
}

}  // namespace

std::size_t independent_labels(const GridRows& rows) {
  for (std::size_t i = 0; i < rows.n(); ++i) {
    std::size_t ones = 0;
    for (std::size_t c = 0; c < rows.labels; ++c) {
      ones += rows.z[i * rows.labels + c];
    }
    if (ones != 1) {
      return rows.labels;
    }
  }
  return rows.labels > 1 ? rows.labels - 1 : 1;
}

Residual exact_residual(const GridRows& rows) {
  require(rows.d > 0 && rows.y.size() == rows.n() * rows.d, "exact_residual: shapes disagree");
  const ExactSums sums(rows);
  check(rows, sums);
  Residual out;
  out.n = rows.n();
  out.ones.assign(sums.z.begin(), sums.z.end());
  out.d = rows.d;
  out.labels = independent_labels(rows);
  SecondMoments moments = second_moments(rows, sums, out.labels);
  out.kept = moments.kept;
  if (out.kept == 0) {
    throw Refusal("every deployed output is the same on the " + std::to_string(out.n) + " rows");
  }
  if (out.labels == 1 && out.kept <= kExactWidth) {
    eliminate_exactly(std::move(moments.m), out);
  } else {
    raise_tau(moments.m, out);
  }
  out.distinct_rows = count_distinct(rows);
  return out;
}

bool residual_below(const GridRows& rows, const Rational& tau) {
  const ExactSums sums(rows);
  check(rows, sums);
  SecondMoments moments = second_moments(rows, sums, independent_labels(rows));
  return moments.kept > 0 &&
         is_positive_definite(bordered(std::move(moments.m), moments.kept, tau));
}

}  // namespace assay::erase
