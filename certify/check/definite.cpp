#include "definite.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace assay_check {
namespace {

constexpr int kBits = 50;      // K is a multiple of 2^-50 and |K| <= 1
constexpr int kReadBits = 60;  // of D M D, before it is rounded to double
constexpr std::size_t kMaxEliminated = 256;

/// 2^a M_ij 2^b with every diagonal entry in [2^(unit−2), 2^unit); unit is returned.
int scale(Triangle& M) {
  const std::size_t n = M.size();
  int top = 2 * kBits;
  std::vector<int> shift(n);
  for (std::size_t i = 0; i < n; ++i) {
    shift[i] = static_cast<int>(msb(M[i][i]));
    top = std::max(top, shift[i]);
  }
  for (int& s : shift) {
    s = (top - s + 1) / 2;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      M[i][j] <<= shift[i] + shift[j];
    }
  }
  return top + 2;
}

/// Rows of the Cholesky factor of M / 2^unit − δI, rounded; empty when there is none. Nothing rests on it.
std::vector<std::vector<std::int64_t>> factor(const Triangle& M, int unit) {
  const std::size_t n = M.size();
  const double size = static_cast<double>(std::max<std::size_t>(n, 16));
  const double delta = std::ldexp(size * std::sqrt(size), -51);
  std::vector<std::vector<double>> K(n);
  std::vector<std::vector<std::int64_t>> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const Integer read = M[i][j] >> (unit - kReadBits);
      if (abs(read) >> kReadBits != 0) {
        return {};  // above what the diagonal of a definite matrix allows
      }
      double sum = std::ldexp(read.convert_to<double>(), -kReadBits) - (i == j ? delta : 0);
      for (std::size_t l = 0; l < j; ++l) {
        sum -= K[i][l] * K[j][l];
      }
      const double entry = i == j ? std::sqrt(sum) : sum / K[j][j];
      if (!(std::fabs(entry) <= 1) || (i == j && !(entry > 0))) {
        return {};
      }
      K[i].push_back(entry);
      out[i].push_back(std::llround(std::ldexp(entry, kBits)));
    }
  }
  return out;
}

// DOMINANCE
//   D M D = K Kᵀ + R, exactly      D = diag(2^g)      R_ii > Σ_{j≠i} |R_ij|
//   -----------------------------------------------------------------------
//   M is positive definite: K Kᵀ is semidefinite and R definite, whatever K is
bool is_dominant(Triangle M) {
  const int unit = scale(M);
  const auto K = factor(M, unit);
  std::vector<Integer> margin(M.size());  ///< R_ii − Σ |R_ij|
  for (std::size_t i = 0; i < K.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      Wide product = 0;  // n products of at most 2^100: below 2^127 up to n = 2^26
      for (std::size_t l = 0; l <= j; ++l) {
        product += static_cast<Wide>(K[i][l]) * K[j][l];
      }
      const Integer R = M[i][j] - (Integer(product) << (unit - 2 * kBits));
      margin[i] += i == j ? R : -abs(R);
      margin[j] -= i == j ? Integer(0) : Integer(abs(R));
    }
  }
  return K.size() == M.size() &&
         std::all_of(margin.begin(), margin.end(), [](const Integer& m) { return m > 0; });
}

/// Fraction-free (Bareiss) elimination: the k-th pivot is the k-th leading principal minor, and all are
/// positive iff the matrix is positive definite (Sylvester).
bool is_definite_by_minors(Triangle M) {
  Integer previous = 1;
  for (std::size_t k = 0; k < M.size(); ++k) {
    if (!(M[k][k] > 0)) {
      return false;
    }
    for (std::size_t i = k + 1; i < M.size(); ++i) {
      for (std::size_t j = k + 1; j <= i; ++j) {
        M[i][j] = (M[i][j] * M[k][k] - M[i][k] * M[j][k]) / previous;  // exact
      }
    }
    previous = M[k][k];
  }
  return true;
}

}  // namespace

bool is_positive_definite(const Triangle& M) {
  for (std::size_t i = 0; i < M.size(); ++i) {
    if (!(M[i][i] > 0)) {
      return false;
    }
  }
  return is_dominant(M) || (M.size() <= kMaxEliminated && is_definite_by_minors(M));
}

}  // namespace assay_check
