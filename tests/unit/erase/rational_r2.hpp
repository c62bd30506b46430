#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <vector>

#include "assay/erase/residual.hpp"

namespace assay::erase::rational {

using Q = boost::multiprecision::cpp_rational;

/// R^2 of the best affine predictor of z from Y by its definition: centred moments and Gauss elimination
/// in rationals. @pre the covariance of Y is regular, z is not constant
inline Q r_squared(const GridRows& rows, const std::vector<Q>& z) {
  const std::size_t d = rows.d;
  const Q n = rows.n();
  std::vector<Q> mean(d);
  Q mean_z = 0;
  for (std::size_t i = 0; i < rows.n(); ++i) {
    mean_z += z[i] / n;
    for (std::size_t j = 0; j < d; ++j) {
      mean[j] += Q(rows.y[i * d + j]) / n;
    }
  }
  std::vector<std::vector<Q>> a(d, std::vector<Q>(d + 1));
  std::vector<Q> sigma(d);
  Q variance = 0;
  for (std::size_t i = 0; i < rows.n(); ++i) {
    variance += (z[i] - mean_z) * (z[i] - mean_z) / n;
    for (std::size_t j = 0; j < d; ++j) {
      const Q centred = Q(rows.y[i * d + j]) - mean[j];
      sigma[j] += centred * (z[i] - mean_z) / n;
      for (std::size_t k = 0; k < d; ++k) {
        a[j][k] += centred * (Q(rows.y[i * d + k]) - mean[k]) / n;
      }
    }
  }
  for (std::size_t j = 0; j < d; ++j) {
    a[j][d] = sigma[j];
  }
  for (std::size_t k = 0; k < d; ++k) {
    for (std::size_t i = 0; i < d; ++i) {
      if (i == k) {
        continue;
      }
      const Q factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j <= d; ++j) {
        a[i][j] -= factor * a[k][j];
      }
    }
  }
  Q r2 = 0;
  for (std::size_t k = 0; k < d; ++k) {
    r2 += sigma[k] * a[k][d] / a[k][k];
  }
  return r2 / variance;
}

/// The same of a combination of the rows' own labels.
inline Q r_squared_of(const GridRows& rows, const std::vector<Q>& weights) {
  std::vector<Q> z(rows.n());
  for (std::size_t i = 0; i < rows.n(); ++i) {
    for (std::size_t c = 0; c < weights.size(); ++c) {
      z[i] += weights[c] * rows.z[i * rows.labels + c];
    }
  }
  return r_squared(rows, z);
}

}  // namespace assay::erase::rational
