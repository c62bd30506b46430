#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <vector>

namespace assay::erase {

/// A symmetric matrix of exact integers, lower triangle packed row by row.
struct IntegerMatrix {
  std::size_t size = 0;
  std::vector<boost::multiprecision::cpp_int> at;

  explicit IntegerMatrix(std::size_t n) : size(n), at(n * (n + 1) / 2) {}
  boost::multiprecision::cpp_int& operator()(std::size_t i, std::size_t j) {
    return at[i * (i + 1) / 2 + j];
  }
  const boost::multiprecision::cpp_int& operator()(std::size_t i, std::size_t j) const {
    return at[i * (i + 1) / 2 + j];
  }
};

/// About the least eigenvalue of a matrix of n rows, its diagonal scaled to 1, that is shown positive:
/// four times what rounding leaves in a row of M - K K^T, n entries of about sqrt(n) 2^-53.
[[nodiscard]] double least_shown_eigenvalue(std::size_t n);

/// PSD-BY-DOMINANCE, in integers, in n^3 / 6 products of 64 bits:
///   D M D = K K^T + R      D = diag(2^g)      R_ii > sum_{j != i} |R_ij|
///   -------------------------------------------------------------------
///   M is positive definite
/// K K^T is semidefinite and a strictly dominant R definite, whatever K is: K is the rounded Cholesky
/// factor of D M D less a small multiple of the identity, so it is found for every M whose smallest
/// eigenvalue, after scaling its diagonal to 1, is not below about n^1.5 2^-50. False means "not shown".
[[nodiscard]] bool shown_positive_definite(const IntegerMatrix& m);

}  // namespace assay::erase
