#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interval.hpp"

namespace assay_check {

/// A vector of reals: entry i lies within rad[i] of mid[i]. |mid|, rad <= 2^300.
struct Ball {
  std::vector<double> mid, rad;

  Ball() = default;
  explicit Ball(std::span<const Interval> x);
  [[nodiscard]] Interval operator[](std::size_t i) const;
  [[nodiscard]] std::size_t size() const { return mid.size(); }
};

// |fl(Σ a_i b_i) − Σ a_i b_i| <= γ_n Σ |a_i b_i| in any order of summation, γ_n = n u/(1 − n u), u = 2^-53
// (Higham, Accuracy and Stability, 3.5); kept twice as large, so that it also covers the rounding of
// Σ |a_i b_i| itself. Underflow adds less than kTiny.
[[nodiscard]] inline double sum_error_factor(std::size_t n) {
  return static_cast<double>(n + 4) * 0x1p-52;
}
inline constexpr double kTiny = 0x1p-950;
/// >= the exact value of a sum of up to 2^20 numbers >= 0 that plain double found to be x.
[[nodiscard]] inline double enlarge(double x) {
  return x * (1 + 0x1p-25) + kTiny;
}

/// x W (+ b), W [x.size(), columns] row major.
[[nodiscard]] Ball times(const Ball& x, const float* W, std::size_t columns,
                         const float* b = nullptr);
/// W g, W [rows, g.size()] row major.
[[nodiscard]] Ball times(const float* W, std::size_t rows, const Ball& g);
[[nodiscard]] std::vector<Interval> intervals(const Ball& x);
[[nodiscard]] std::vector<Interval> operator+(std::span<const Interval> a,
                                              std::span<const Interval> b);
[[nodiscard]] std::vector<Interval> operator-(std::span<const Interval> a);
/// s a
[[nodiscard]] std::vector<Interval> operator*(const Interval& s, std::span<const Interval> a);
/// a ∘ w, entry by entry
[[nodiscard]] std::vector<Interval> operator*(std::span<const Interval> a,
                                              const std::vector<float>& w);
/// n weights, `stride` apart
[[nodiscard]] std::vector<Interval> exact(const float* w, std::size_t n, std::size_t stride = 1);
/// P y = y − mean(y): the centred vector.
[[nodiscard]] std::vector<Interval> centred(std::span<const Interval> y);
[[nodiscard]] Interval square(const Interval& a);
/// Σ_i y_i^2
[[nodiscard]] Interval square_sum(std::span<const Interval> y);

}  // namespace assay_check
