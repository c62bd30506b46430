#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/base/rational.hpp"

namespace assay::erase {

/// Deployed integer outputs Y [n,d] with labels z [n,k] of 0 and 1.
struct GridRows {
  std::size_t d = 0;
  std::vector<std::int32_t> y;
  std::vector<std::uint8_t> z;
  std::size_t labels = 1;  ///< k

  [[nodiscard]] std::size_t n() const { return z.size() / labels; }
};

/// Labels that say the same as z: the last column goes when every row has exactly one 1 (one-hot),
/// because the others give it. At least one column stays.
[[nodiscard]] std::size_t independent_labels(const GridRows& rows);

/// ERASE-RESIDUAL: the largest R^2 of any affine predictor from Y of any combination of the labels on
/// these rows: the largest squared canonical correlation. With the exact integers S = sum Y,
/// T = sum z, H = sum Y z^T, G = sum Y Y^T, A = n G - S S^T, B = n H - S T^T, C = n sum z z^T - T T^T
///   R^2 <= tau  if  [[A, B], [B^T, tau C]] is positive definite      (theorem T3)
/// A and B leave out coordinates that are constant or repeat an earlier one up to a constant.
/// For one label and at most 64 dimensions R^2 = B^T A^-1 B / C is computed without any rounding
/// (Bareiss elimination); else in double, and tau is raised until the matrix is shown definite.
struct Residual {
  std::size_t n = 0;
  std::vector<std::size_t> ones = {};  ///< rows of every label, also of one left out
  std::size_t d = 0;
  std::size_t kept = 0;           ///< coordinates of Y that are not constant or repeated
  std::size_t labels = 1;         ///< independent ones
  std::size_t rank = 0;           ///< of A, where exact; `kept` where the matrix is shown definite
  std::size_t distinct_rows = 0;  ///< different rows Y: what the noise floor really rests on
  std::string numerator, denominator;  ///< R^2, exact, reduced; empty where it is in double
  double r2 = 0;                       ///< R^2, to read
  Rational tau;  ///< what the claim says: a k / 10^9 above R^2, the next where exact, or 1

  [[nodiscard]] bool certifiable() const {
    return kept > 0 && rank == kept && r2 < 1 && tau.num > 0;
  }
  /// R^2 expected when Y and z have nothing to do with each other: d / n.
  [[nodiscard]] double noise_floor() const {
    return static_cast<double>(d) / static_cast<double>(n);
  }
};

/// Throws Refusal when a label is constant. @pre |Y| < 2^24, n < 2^31.
[[nodiscard]] Residual exact_residual(const GridRows& rows);

/// The test that the certificate line asks for: [[A, B], [B^T, tau C]] is positive definite.
[[nodiscard]] bool residual_below(const GridRows& rows, const Rational& tau);

}  // namespace assay::erase
