#pragma once

#include <cmath>
#include <limits>

namespace assay {

/// A closed interval of reals, [lo, hi], in doubles.
///
///   ENCLOSE   x ∈ X, y ∈ Y  |-  x ∘ y ∈ X ∘ Y
///
/// Every operation rounds outward by one unit in the last place after the round-to-nearest
/// result, which encloses the exact value in the default rounding mode whatever the compiler
/// does. A NaN end makes every comparison below false: NaN never proves.
struct Interval {
  double lo = 0;
  double hi = 0;

  constexpr Interval() = default;
  constexpr explicit Interval(double point) : lo(point), hi(point) {}
  constexpr Interval(double low, double high) : lo(low), hi(high) {}

  [[nodiscard]] bool is_valid() const { return lo <= hi; }
  [[nodiscard]] bool contains(double x) const { return lo <= x && x <= hi; }
  [[nodiscard]] double width() const { return hi - lo; }
};

[[nodiscard]] inline double round_down(double x) {
  return std::nextafter(x, -std::numeric_limits<double>::infinity());
}
[[nodiscard]] inline double round_up(double x) {
  return std::nextafter(x, std::numeric_limits<double>::infinity());
}

[[nodiscard]] inline Interval operator+(Interval a, Interval b) {
  return {round_down(a.lo + b.lo), round_up(a.hi + b.hi)};
}
[[nodiscard]] inline Interval operator-(Interval a) {
  return {-a.hi, -a.lo};
}
[[nodiscard]] inline Interval operator-(Interval a, Interval b) {
  return a + (-b);
}
[[nodiscard]] Interval operator*(Interval a, Interval b);
/// A divisor that contains zero gives [-inf, inf].
[[nodiscard]] Interval operator/(Interval a, Interval b);
/// Domain error (negative part) gives [NaN, NaN].
[[nodiscard]] Interval sqrt(Interval a);
/// Rigorous exp: argument reduction by ln 2 in two parts, Taylor polynomial with its remainder.
[[nodiscard]] Interval exp(Interval a);
/// Rigorous ln of a positive interval, from `exp` by bisection-free Newton enclosure check.
[[nodiscard]] Interval log(Interval a);
[[nodiscard]] Interval relu(Interval a);
[[nodiscard]] Interval hull(Interval a, Interval b);
inline Interval& operator+=(Interval& a, Interval b) {
  return a = a + b;
}

}  // namespace assay
