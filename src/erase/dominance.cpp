#include "dominance.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace assay::erase {
namespace {

using Integer = boost::multiprecision::cpp_int;
__extension__ using Wide = __int128;

constexpr unsigned kFactorBits = 50;  ///< entries of K are multiples of 2^-50
constexpr unsigned kReadBits = 60;

/// M with row and column i times 2^g_i, so that every diagonal entry is in [2^(unit-2), 2^unit).
struct Scaled {
  IntegerMatrix matrix;
  unsigned unit = 0;
};

Scaled scale(const IntegerMatrix& m) {
  unsigned top = 0;
  for (std::size_t i = 0; i < m.size; ++i) {
    top = std::max(top, static_cast<unsigned>(msb(m(i, i))));
  }
  top = std::max(top, 2 * kFactorBits);
  std::vector<unsigned> shift(m.size);
  for (std::size_t i = 0; i < m.size; ++i) {
    shift[i] = (top - static_cast<unsigned>(msb(m(i, i))) + 1) / 2;
  }
  Scaled out{m, top + 2};
  for (std::size_t i = 0; i < m.size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      out.matrix(i, j) <<= shift[i] + shift[j];
    }
  }
  return out;
}

/// The Cholesky factor of M / 2^unit - delta I, in units of 2^-50; empty when there is none.
std::vector<std::int64_t> rounded_factor(const Scaled& s) {
  const auto n = static_cast<Eigen::Index>(s.matrix.size);
  const double delta = least_shown_eigenvalue(s.matrix.size);
  Eigen::MatrixXd approximate(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      const Integer& entry = s.matrix(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
      if (abs(entry) >> s.unit != 0) {
        return {};  // above its diagonal entries: not semidefinite
      }
      const Integer read = entry >> (s.unit - kReadBits);
      approximate(i, j) =
          std::ldexp(static_cast<double>(read.convert_to<std::int64_t>()), -int{kReadBits});
    }
    approximate(i, i) -= delta;
  }
  const Eigen::LLT<Eigen::MatrixXd> cholesky(approximate);  // reads the lower triangle
  if (cholesky.info() != Eigen::Success) {
    return {};
  }
  const Eigen::MatrixXd factor = cholesky.matrixL();
  std::vector<std::int64_t> out(s.matrix.size * s.matrix.size, 0);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      out[static_cast<std::size_t>(i * n + j)] =
          std::llround(std::ldexp(factor(i, j), int{kFactorBits}));
    }
  }
  return out;
}

Integer wide_integer(Wide value) {
  const bool negative = value < 0;
  __extension__ using Bits = unsigned __int128;
  const Bits bits = negative ? -static_cast<Bits>(value) : static_cast<Bits>(value);
  Integer out = static_cast<std::uint64_t>(bits >> 64U);
  out <<= 64;
  out += static_cast<std::uint64_t>(bits);
  return negative ? -out : out;
}

}  // namespace

double least_shown_eigenvalue(std::size_t n) {
  const double size = std::max(static_cast<double>(n), 16.0);
  return std::ldexp(size * std::sqrt(size), -51);
}

bool shown_positive_definite(const IntegerMatrix& m) {
  for (std::size_t i = 0; i < m.size; ++i) {
    if (m(i, i) <= 0) {
      return false;
    }
  }
  const Scaled s = scale(m);
  const std::vector<std::int64_t> k = rounded_factor(s);
  if (k.empty()) {
    return m.size == 0;
  }
  // |K_ij| <= 2^50: a sum of n products of two rows stays below 2^100 n < 2^127.
  std::vector<Integer> margin(m.size);  ///< R_ii - sum of |R_ij|
  for (std::size_t i = 0; i < m.size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      Wide product = 0;
      const std::int64_t* a = k.data() + i * m.size;
      const std::int64_t* b = k.data() + j * m.size;
      for (std::size_t l = 0; l <= j; ++l) {
        product += static_cast<Wide>(a[l]) * b[l];
      }
      const Integer r = s.matrix(i, j) - (wide_integer(product) << (s.unit - 2 * kFactorBits));
      if (i == j) {
        margin[i] += r;
      } else {
        margin[i] -= abs(r);
        margin[j] -= abs(r);
      }
    }
  }
  return std::all_of(margin.begin(), margin.end(), [](const Integer& g) { return g > 0; });
}

}  // namespace assay::erase
