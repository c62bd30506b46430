#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/base/rational.hpp"
#include "assay/erase/residual.hpp"

namespace assay::erase {

/// What TWO-HALVES needs of independent pairs v with |v| <= largest, cut in halves A and B.
struct PairFigures {
  std::size_t a = 0, b = 0;  ///< pairs of each half
  double largest = 0;        ///< M
  double lambda = 0;         ///< at least the largest eigenvalue of mean_A v v^T
  double norm = 0;           ///< |v_A|, v_A = mean_A v
  double along = 0;          ///< mean_B <v_A, v>
  double square_along = 0;   ///< mean_B <v_A, v>^2
};

/// TWO-HALVES (docs/theorems.md): |E v| is at most this with probability at least 1 - alpha, by three
/// events of alpha / 3 each: the largest eigenvalue, <v_A, E v> and <E v - v_A, E v>.
[[nodiscard]] double covariance_bound(const PairFigures& pairs, double alpha);
/// LEAKAGE: |E v| is at least this with probability at least 1 - alpha; 0 where nothing is shown.
[[nodiscard]] double leakage_bound(const PairFigures& pairs, double alpha);
/// The plug-in bound from McDiarmid's inequality for vectors, all n pairs in one mean of norm `norm`:
/// norm + M (1 + sqrt(2 ln(1 / alpha))) / sqrt n. To compare with.
[[nodiscard]] double mcdiarmid_bound(double norm, double largest, std::size_t n, double alpha);

/// What MMD needs of independent quadruples of units: see Population::kernel_figures.
struct KernelFigures {
  std::size_t quadruples = 0;
  double mean = 0;         ///< of x
  double mean_square = 0;  ///< of x^2; |x| <= 1/2
};
/// MMD and MMD-LEAKAGE (docs/theorems.md): |Cov(k(y, .), z)| in the kernel's space is at most, or at least,
/// this with probability at least 1 - alpha.
[[nodiscard]] double kernel_bound(const KernelFigures& figures, double alpha);
[[nodiscard]] double kernel_leakage(const KernelFigures& figures, double alpha);

enum class Products { linear, quadratic };
inline constexpr std::size_t kMaxQuadratic = 256;

/// Deployed rows as draws of independent units, documents or rows: an eighth of the units fixes the
/// centre, the scale of every coordinate and the largest norm; the others come in pairs
/// (docs/certificate-format.md, "Population").
class Population {
 public:
  /// @param documents the document of each row; empty: every row is a unit
  /// Throws Refusal where the units are too few or do not vary.
  Population(const GridRows& rows, const std::vector<std::int64_t>& documents);

  /// @pre d <= kMaxQuadratic for quadratic
  [[nodiscard]] PairFigures figures(std::size_t label, Products products) const;

  /// One row drawn from each unit but those that fix the scales, in quadruples s, s', t, t':
  ///   x = (z_s - z_s')(z_t - z_t')/4 (k(s,t) - k(s,t') - k(s',t) + k(s',t'))    E x = |Cov(k(y, .), z)|^2
  /// k(y, y') = exp(-|y - y'|^2 / d) of scaled outputs.
  [[nodiscard]] KernelFigures kernel_figures(std::size_t label) const;

  [[nodiscard]] std::size_t units() const { return order_.size(); }
  [[nodiscard]] std::size_t scale_units() const { return first_; }
  [[nodiscard]] std::size_t beyond() const { return beyond_; }  ///< rows taken as the centre
  [[nodiscard]] double largest() const { return largest_; }     ///< norm, in units of the scales
  [[nodiscard]] const std::vector<int>& scales() const { return scale_; }  ///< exponents of 2
  [[nodiscard]] bool by_document() const { return by_document_; }
  /// One row of each unit, at a place that the digest of the unit's number names.
  [[nodiscard]] std::vector<std::size_t> drawn_rows() const;
  /// Rows of each unit, in the order of the units.
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& order() const { return order_; }

 private:
  void order_units(const std::vector<std::int64_t>& documents);
  void fix_scales();
  [[nodiscard]] double square(std::size_t row) const;
  [[nodiscard]] double kernel(std::size_t row, std::size_t other) const;
  struct Sums;
  [[nodiscard]] Sums sums(std::size_t unit, std::size_t label, Products products) const;

  const GridRows& rows_;
  std::vector<std::vector<std::size_t>> order_;
  std::vector<std::int64_t> centre_;
  std::vector<int> scale_;
  std::size_t first_ = 0, beyond_ = 0;
  double limit_ = 0, largest_ = 0;
  bool by_document_ = false;
};

/// The least k / 10^9 (of a large number fewer places) at or above x, or the largest at or below.
[[nodiscard]] Rational fraction_above(double x);
[[nodiscard]] Rational fraction_below(double x);

}  // namespace assay::erase
