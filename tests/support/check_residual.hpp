#pragma once
// The residual of deployed outputs by a way of its own, for the tests of the checker.

#include "check_model.hpp"

namespace check_test {

/// The largest R² of an affine predictor, by elimination in long double.
inline double best_r2(const std::vector<Vector>& Y, const Vector& z) {
  const std::size_t n = Y.size(), d = Y[0].size();
  std::vector<std::vector<long double>> A(d, std::vector<long double>(d + 1));
  std::vector<long double> mean(d);
  long double mz = 0, squares = 0;
  for (std::size_t r = 0; r < n; ++r) {
    mz += static_cast<long double>(z[r]) / static_cast<long double>(n);
    squares += static_cast<long double>(z[r]) * z[r] / static_cast<long double>(n);
    for (std::size_t i = 0; i < d; ++i) {
      mean[i] += Y[r][i] / static_cast<long double>(n);
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) {
        A[i][j] += (Y[r][i] - mean[i]) * (Y[r][j] - mean[j]) / static_cast<long double>(n);
      }
      A[i][d] +=
          (Y[r][i] - mean[i]) * (static_cast<long double>(z[r]) - mz) / static_cast<long double>(n);
    }
  }
  std::vector<long double> b(d);
  for (std::size_t i = 0; i < d; ++i) {
    b[i] = A[i][d];
  }
  for (std::size_t k = 0; k < d; ++k) {
    for (std::size_t i = 0; i < d; ++i) {
      if (i != k) {
        const long double q = A[i][k] / A[k][k];
        for (std::size_t j = k; j <= d; ++j) {
          A[i][j] -= q * A[k][j];
        }
      }
    }
  }
  long double r2 = 0;
  for (std::size_t i = 0; i < d; ++i) {
    r2 += b[i] * A[i][d] / A[i][i];
  }
  return static_cast<double>(r2 / (squares - mz * mz));
}

}  // namespace check_test
