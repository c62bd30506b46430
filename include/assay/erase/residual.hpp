#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/base/rational.hpp"

namespace assay::erase {

/// Deployed integer outputs Y [n,d] with labels z [n].
struct GridRows {
  std::size_t d = 0;
  std::vector<std::int32_t> y;
  std::vector<std::uint8_t> z;

  [[nodiscard]] std::size_t n() const { return z.size(); }
};

/// ERASE-RESIDUAL: the largest R^2 of any affine predictor of z from Y on these rows. With the
/// exact integers S = sum Y, S1 = sum_{z=1} Y, G = sum Y Y^T, A = n G - S S^T, b = n S1 - n1 S,
///   R^2 = b^T A^-1 b / (n1 n0)
/// by fraction-free (Bareiss) elimination: no rounding anywhere.
struct Residual {
  std::size_t n = 0;
  std::size_t n1 = 0;
  std::size_t d = 0;
  std::size_t rank = 0;                ///< of A; below d no certificate line can be written
  std::size_t distinct_rows = 0;       ///< different rows Y: what the noise floor really rests on
  std::string numerator, denominator;  ///< R^2, exact, reduced
  double r2 = 0;                       ///< R^2, nearest double, to read
  Rational tau;                        ///< smallest k / 10^9 above R^2, or 1: what the claim says

  [[nodiscard]] bool certifiable() const { return rank == d && r2 < 1 && tau.num > 0; }
  /// R^2 expected when Y and z have nothing to do with each other: d / n.
  [[nodiscard]] double noise_floor() const {
    return static_cast<double>(d) / static_cast<double>(n);
  }
};

/// Throws Refusal when z is constant. @pre |Y| < 2^24, n < 2^31.
[[nodiscard]] Residual exact_residual(const GridRows& rows);

/// The test that the certificate line asks for: [[A, b], [b^T, tau n1 n0]] is positive definite.
[[nodiscard]] bool residual_below(const GridRows& rows, const Rational& tau);

}  // namespace assay::erase
