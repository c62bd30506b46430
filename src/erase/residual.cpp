#include "assay/erase/residual.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <numeric>
#include <span>

#include "assay/base/errors.hpp"
#include "assay/erase/leace.hpp"

namespace assay::erase {
namespace {

using Integer = boost::multiprecision::cpp_int;

/// The augmented matrix [[A, b], [b^T, corner]] of exact integers, lower triangle in use.
struct Augmented {
  std::size_t size = 0;  ///< d + 1
  std::vector<Integer> at;
  Integer& operator()(std::size_t i, std::size_t j) { return at[i * size + j]; }
};

struct Sums {
  std::size_t n1 = 0;
  std::vector<std::int64_t> all, ones;  ///< S and S1 [d]: |S| < 2^31 2^24
  std::vector<Integer> gram;            ///< G [d,d], lower triangle
};

/// G by blocks: 2^14 products below 2^48 fit int64 with a bit to spare.
Sums accumulate(const GridRows& rows) {
  constexpr std::size_t kBlock = std::size_t{1} << 14U;
  const std::size_t d = rows.d;
  Sums sums{0, std::vector<std::int64_t>(d), std::vector<std::int64_t>(d),
            std::vector<Integer>(d * d)};
  std::vector<std::int64_t> block(d * d, 0);
  const auto flush = [&] {
    for (std::size_t k = 0; k < d * d; ++k) {
      sums.gram[k] += block[k];
      block[k] = 0;
    }
  };
  for (std::size_t r = 0; r < rows.n(); ++r) {
    const std::int32_t* y = rows.y.data() + r * d;
    const bool one = rows.z[r] == 1;
    sums.n1 += one ? 1 : 0;
    for (std::size_t i = 0; i < d; ++i) {
      const std::int64_t yi = y[i];
      sums.all[i] += yi;
      sums.ones[i] += one ? yi : 0;
      std::int64_t* g = block.data() + i * d;
      for (std::size_t j = 0; j <= i; ++j) {
        g[j] += yi * y[j];
      }
    }
    if ((r + 1) % kBlock == 0) {
      flush();
    }
  }
  flush();
  return sums;
}

Augmented augmented(const GridRows& rows, const Sums& sums) {
  const Integer n = rows.n();
  Augmented m{rows.d + 1, std::vector<Integer>((rows.d + 1) * (rows.d + 1))};
  for (std::size_t i = 0; i < rows.d; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      m(i, j) = n * sums.gram[i * rows.d + j] - Integer(sums.all[i]) * sums.all[j];
    }
    m(rows.d, i) = n * sums.ones[i] - Integer(sums.n1) * sums.all[i];
  }
  return m;
}

/// Fraction-free elimination of the symmetric matrix on the first `size - 1` pivots. A zero
/// pivot of a positive semi-definite A means a zero row: that direction is skipped. Leaves the
/// corner as det of the kept matrix with its corner and returns det of the kept A.
Integer eliminate(Augmented& m, std::size_t& rank) {
  Integer previous = 1;
  rank = 0;
  for (std::size_t k = 0; k + 1 < m.size; ++k) {
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

void check(const GridRows& rows, std::size_t n1) {
  require(rows.d > 0 && rows.y.size() == rows.n() * rows.d, "exact_residual: shapes disagree");
  if (n1 == 0 || n1 == rows.n()) {
    throw Refusal("the label is constant on the " + std::to_string(rows.n()) +
                  " rows of the residual");
  }
}

}  // namespace

Residual exact_residual(const GridRows& rows) {
  constexpr std::int64_t kUnit = 1'000'000'000;
  const Sums sums = accumulate(rows);
  check(rows, sums.n1);
  Residual out;
  out.n = rows.n();
  out.n1 = sums.n1;
  out.d = rows.d;
  Augmented m = augmented(rows, sums);
  const Integer det = eliminate(m, out.rank);
  // Schur: det [[A, b], [b^T, 0]] = -det A (b^T A^-1 b).
  Integer num = -m(rows.d, rows.d);
  Integer den = det * Integer(sums.n1) * Integer(rows.n() - sums.n1);
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
  out.distinct_rows = count_distinct(rows);
  return out;
}

bool residual_below(const GridRows& rows, const Rational& tau) {
  const Sums sums = accumulate(rows);
  check(rows, sums.n1);
  Augmented m = augmented(rows, sums);
  // Last row and column times Q: the signs of the minors stay.
  const std::size_t d = rows.d;
  for (std::size_t i = 0; i < d; ++i) {
    m(d, i) *= tau.den;
  }
  m(d, d) = Integer(tau.num) * tau.den * Integer(sums.n1) * Integer(rows.n() - sums.n1);
  std::size_t rank = 0;
  static_cast<void>(eliminate(m, rank));
  return rank == d && m(d, d) > 0;
}

}  // namespace assay::erase
