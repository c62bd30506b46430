#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/erase/moments.hpp"
#include "assay/model/readout.hpp"

namespace assay::erase {

inline constexpr int kMaxGridBits = 24;
inline constexpr int kMinGridBits = 6;
inline constexpr std::int64_t kMaxGridValue = std::int64_t{1} << 24;

/// ERASE-LEACE (Belrose et al., NeurIPS 2023, closed form) for one binary concept:
///   r(x) = x - L (R (x - mu)),  L = sigma / q,  R = (Sigma^+ sigma)^T / q,  q^2 = sigma^T Sigma^+ sigma
/// with sigma = Cov(x, z), Sigma = Cov(x): the affine map that is nearest to the identity, in
/// every norm at once, among those with Cov(r(x), z) = 0. Deployed in double with one rounding
/// to the grid 2^-grid_bits (docs/certificate-format.md, "Kind erasure").
struct Eraser {
  std::string hook;
  int grid_bits = 16;
  std::vector<double> proj_left;   ///< L [d]
  std::vector<double> proj_right;  ///< R [d]; R L = 1
  std::vector<double> bias;        ///< mu [d]

  [[nodiscard]] std::size_t d() const { return bias.size(); }
};

/// What the fit found; figures for the report.
struct LeaceFit {
  Eraser eraser;             ///< hook and grid_bits as constructed
  double canonical_r2 = 0;   ///< squared canonical correlation of x with z = max R^2 before
  double floor_r2 = 0;       ///< confidence floor that canonical_r2 had to exceed
  std::size_t rank = 0;      ///< directions of x kept
  std::size_t masked = 0;    ///< directions without variance in double
  double masked_sigma = 0;   ///< largest |correlation with z| along a masked direction
  double operator_norm = 0;  ///< ||I - L R||_2, how far one row can grow
};

/// Max R^2 over affine predictors of z from x, in double, on the directions with variance.
/// @pre both labels occur
[[nodiscard]] double canonical_r2(const Moments& moments);

/// Smallest R^2 that is not put down to chance: an upper 1 - 10^-6 quantile bound of chi^2_d / n
/// (Laurent and Massart 2000), (d + 2 sqrt(d t) + 2 t) / n with t = ln 10^6. It treats rows as
/// independent, which tokens of one document are not: a guard, not a claim.
[[nodiscard]] double confidence_floor(std::size_t d, std::size_t n);

/// Throws Refusal, with the reason, when z is constant, rows are too few (n < 4 d or under 50 of
/// either label), x and z are correlated no more than by chance, or a masked direction holds
/// part of sigma.
[[nodiscard]] LeaceFit fit_leace(const Moments& moments);

/// The deployed bits: Y [d] with r(x) = Y 2^-grid_bits, in the documented order of operations.
/// Throws Refusal when some |Y_i| would reach 2^24. @pre x and y have d entries.
void deploy(const Eraser& eraser, std::span<const float> x, std::span<std::int32_t> y);

/// The finest grid, at most `wanted` bits, that keeps every |Y| of the rows x [n,d] below 2^23,
/// half the format's limit, so that new rows have room. Throws Refusal under kMinGridBits.
[[nodiscard]] int choose_grid_bits(const Eraser& eraser, std::span<const float> x, int wanted);

/// The affine readout of the erased site as one of the raw site, w' = P^T w and
/// b' = b + <w,L> <R,mu> (real arithmetic in double; the grid rounding is not in it).
[[nodiscard]] Readout compose(const Readout& after, const Eraser& eraser);

}  // namespace assay::erase
