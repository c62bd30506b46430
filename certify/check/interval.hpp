#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay_check {

/// A closed interval [lo, hi] of reals with finite ends, lo <= hi, |ends| <= 2^1000. Every
/// operation returns an interval that contains each exact result; anything else (NaN,
/// overflow) throws Reject, so that a NaN never reaches a comparison.
class Interval {
 public:
  Interval() = default;    ///< [0, 0]
  Interval(double exact);  // NOLINT(google-explicit-constructor): a point
  Interval(double lo, double hi);
  [[nodiscard]] double lo() const { return lo_; }
  [[nodiscard]] double hi() const { return hi_; }
  [[nodiscard]] bool is_zero() const { return lo_ == 0 && hi_ == 0; }

 private:
  double lo_ = 0;
  double hi_ = 0;
};

[[nodiscard]] double next_up(double x);               ///< the double above a finite x
[[nodiscard]] double next_down(double x);             ///< the double below a finite x
[[nodiscard]] double sum_up(double a, double b);      ///< >= a + b
[[nodiscard]] double product_up(double a, double b);  ///< >= a * b

[[nodiscard]] Interval operator+(const Interval& a, const Interval& b);
[[nodiscard]] Interval operator-(const Interval& a);
[[nodiscard]] Interval operator-(const Interval& a, const Interval& b);
[[nodiscard]] Interval operator*(const Interval& a, const Interval& b);
[[nodiscard]] Interval operator/(const Interval& a,
                                 const Interval& b);      ///< b.lo() > 0, else Reject
[[nodiscard]] Interval positive_part(const Interval& a);  ///< max(a, 0)
[[nodiscard]] Interval hull(const Interval& a, const Interval& b);
[[nodiscard]] Interval square_root(const Interval& a);  ///< a.lo() > 0

/// num/den as an interval, a point when the quotient is a double. |num|, den <= 2^53, den > 0.
[[nodiscard]] Interval quotient(std::int64_t num, std::int64_t den);

[[nodiscard]] Interval dot(std::span<const Interval> a, std::span<const Interval> b);
/// Sum over i of a[i] * b[i * stride], b a weight array.
[[nodiscard]] Interval dot(std::span<const Interval> a, const float* b, std::size_t stride);

}  // namespace assay_check
