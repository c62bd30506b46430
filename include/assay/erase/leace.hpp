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

/// An affine map of one site that leaves no covariance with the label (docs/theorems.md, "Erasure"):
///   r(x) = x - L (R (x - mu)),  R L = I,  columns of Cov(x, z) in the span of L
/// so that Cov(r(x), z) = (I - L R) Cov(x, z) = 0, whatever Sigma was. Deployed in double with one
/// rounding to the grid 2^-grid_bits (docs/certificate-format.md, "Kind erasure").
struct Eraser {
  std::string hook;
  int grid_bits = 16;
  std::vector<double> proj_left;   ///< L [d,r]
  std::vector<double> proj_right;  ///< R [r,d]
  std::vector<double> bias;        ///< mu [d]
  std::string method = "leace";    ///< a name of `Method`
  std::size_t rank = 1;            ///< r

  [[nodiscard]] std::size_t d() const { return bias.size(); }
};

/// Which of the maps with that property (Belrose et al., NeurIPS 2023; arXiv 2506.10703):
///   leace    nearest to the identity in every norm at once: L R = W^+ Pi W, W = Sigma^(-1/2), Pi the
///            orthogonal projector on the span of W Cov(x, z)
///   orth     the orthogonal projection off the span of Cov(x, z), about the mean
///   mean     the same about 0: a linear map (mean projection)
///   splince  nearest among those that keep Cov(x, y) of a second label y as it is
enum class Method { leace, orth, mean, splince };
[[nodiscard]] std::string name_of(Method method);
/// Throws UsageError naming the known ones.
[[nodiscard]] Method method_of(const std::string& name);

/// What the fit found; figures for the report.
struct LeaceFit {
  Eraser eraser;            ///< hook and grid_bits as constructed
  double canonical_r2 = 0;  ///< largest squared canonical correlation of x with z = max R^2 before
  std::vector<double> canonical;  ///< all of them, falling; its size is the eraser's rank
  double floor_r2 = 0;            ///< confidence floor that canonical_r2 had to exceed
  std::size_t above_floor = 0;    ///< canonical correlations that exceed it
  std::size_t rank = 0;           ///< directions of x kept
  std::size_t masked = 0;         ///< directions without variance in double
  double masked_sigma = 0;        ///< largest |correlation with z| along a masked direction
  double operator_norm = 0;       ///< ||I - L R||_2, how far one row can grow
  double kept_share = 0;          ///< tr Cov(r(x)) / tr Cov(x)
  double mean_square_change = 0;  ///< E |r(x) - x|^2
};

/// Max R^2 over affine predictors of a combination of the labels z from x, in double, on the
/// directions with variance. @pre no label is constant
[[nodiscard]] double canonical_r2(const Moments& moments);

/// Smallest R^2 that is not put down to chance: an upper 1 - 10^-6 quantile bound of chi^2_d / n
/// (Laurent and Massart 2000), (d + 2 sqrt(d t) + 2 t) / n with t = ln 10^6. It treats rows as
/// independent, which tokens of one document are not: a guard, not a claim.
[[nodiscard]] double confidence_floor(std::size_t d, std::size_t n);

/// Erases the first labels() - preserved labels; the last `preserved` ones are kept (splince).
/// Throws Refusal, with the reason, when a label is constant, rows are too few (n < 4 d, or under 50
/// of either value of a 0/1 label), x and z are correlated no more than by chance, a masked direction
/// holds part of sigma, or what is to be kept cannot be told from what is to be erased.
[[nodiscard]] LeaceFit fit_eraser(const Moments& moments, Method method, std::size_t preserved = 0);
[[nodiscard]] LeaceFit fit_leace(const Moments& moments);

/// The deployed bits: Y [d] with r(x) = Y 2^-grid_bits, in the documented order of operations.
/// Throws Refusal when some |Y_i| would reach 2^24. @pre x and y have d entries.
void deploy(const Eraser& eraser, std::span<const double> x, std::span<std::int32_t> y);
void deploy(const Eraser& eraser, std::span<const float> x, std::span<std::int32_t> y);
/// The same for rows x [n,d], y [n,d].
void deploy_block(const Eraser& eraser, std::span<const double> x, std::span<std::int32_t> y);

/// The largest |entry| of r(x), before rounding.
[[nodiscard]] double reach(const Eraser& eraser, std::span<const double> x);
/// The finest grid, at most `wanted` bits, that keeps every |Y| below 2^23 where entries of r(x) are
/// at most `largest`: half the format's limit, so that new rows have room. Throws Refusal under
/// kMinGridBits.
[[nodiscard]] int choose_grid_bits(double largest, int wanted);
/// The same for the rows x [n,d].
[[nodiscard]] int choose_grid_bits(const Eraser& eraser, std::span<const float> x, int wanted);

/// The affine readout of the erased site as one of the raw site, w' = P^T w and
/// b' = b + <w,L> <R,mu> (real arithmetic in double; the grid rounding is not in it).
[[nodiscard]] Readout compose(const Readout& after, const Eraser& eraser);

}  // namespace assay::erase
