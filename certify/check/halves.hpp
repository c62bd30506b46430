#pragma once

#include <cstdint>
#include <vector>

#include "units.hpp"

namespace assay_check {

/// The independent units of a claim (documents, or rows) in an order that their numbers do not decide, cut in three:
/// C, an eighth, fixes centre, scales and the largest norm; the others are taken in pairs, A the first half of them.
/// Of a pair of units, v = the mean over their rows s, t of (φ_s − φ_t)(z_s − z_t)/2, so that E v = Cov(φ(y), z)
/// for a row drawn from a unit that is drawn; |v| <= bound.
class Halves {
 public:
  /// By the claim's terms `of` (linear: φ = the scaled outputs; quadratic: their products), `label`, `unit`.
  Halves(Session& session, const Step& step, const ErasureClaim& claim);

  /// v of a pair, of A from 0, of B from `a`; what it computes is within 2^-50 (longest + 8) bound.
  void pair(std::size_t index, std::vector<double>& v) const;
  /// x_b = <direction, v_b> over B.
  [[nodiscard]] std::vector<double> project(const std::vector<double>& direction) const;
  /// The mean of v over A.
  [[nodiscard]] std::vector<double> mean() const;
  /// What a sum over rows, coordinates and pairs is off by, relative to the sizes that are summed.
  [[nodiscard]] Interval slack() const;
  /// −|u − u'|²/d of the scaled outputs u of two rows, a row beyond the limit taken as the centre.
  [[nodiscard]] Interval exponent(std::size_t row, std::size_t other) const;
  /// A row drawn from each unit but those of C.
  [[nodiscard]] std::vector<std::size_t> drawn_after_the_scales() const;
  /// The words that say what is drawn and how it is measured.
  [[nodiscard]] std::string drawn() const;

  ErasedRows rows;
  bool quadratic = false;
  std::size_t features = 0, units = 0, a = 0, b = 0;
  Interval bound;  ///< an upper bound on |v|, as its upper end

 private:
  struct Sums {
    std::vector<double> with, all;  ///< Σ zφ, Σ φ
    double n = 0, ones = 0;
  };
  [[nodiscard]] Sums sums(std::size_t unit) const;
  /// 4^top times the squared norm of the row's scaled distance from the centre.
  [[nodiscard]] Wide square(const std::vector<double>& Y) const;
  void fix_scales(const Step& step);

  std::size_t label_ = 0, first_ = 0, longest_ = 0;
  mutable std::size_t beyond_ = 0;
  std::vector<std::vector<std::size_t>> order_;  ///< rows of each unit
  std::vector<std::int64_t> centre_;
  std::vector<int> scale_;  ///< exponents, of 2
  int top_ = 0;
  Wide limit_ = 0;  ///< of square
};

}  // namespace assay_check
