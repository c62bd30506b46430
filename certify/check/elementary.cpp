#include "elementary.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "reject.hpp"

namespace assay_check {
namespace {

// pi/2 = kQuarterHi + a number in kQuarterLo; an integer below 2^22 times kQuarterHi is a double.
constexpr double kQuarterHi = 0x1.921fb54p+0;
const Interval kQuarterLo(0x1.10b4611a62633p-30, 0x1.10b4611a62634p-30);

/// sin(a) (quarters = 0) or sin(a + pi/2) (quarters = 1) for a point, via a = k pi/2 + r, |r| <= 0.8.
/// Taylor with the terms up to r^21; the rest is below 0.8^22 / 22! < 2^-76.
Interval sine_point(double x, int quarters) {
  if (!(std::fabs(x) <= 0x1p21)) {
    throw Reject("arithmetic", "sine of a number above 2^21");
  }
  const double k = std::nearbyint(x / 1.5707963267948966);  // any integer near will do
  const Interval r = Interval(x) - Interval(k * kQuarterHi) - Interval(k) * kQuarterLo;
  if (!(r.lo() >= -0.8 && r.hi() <= 0.8)) {
    throw Reject("arithmetic", "sine: reduction failed");
  }
  const int quadrant = static_cast<int>((static_cast<long>(k) + quarters) & 3);
  const bool odd = (quadrant & 1) != 0;  // sin(r + pi/2) = cos r
  const Interval square = r * r;
  Interval sum(1);
  for (int n = odd ? 20 : 21; n >= 2; n -= 2) {
    sum = Interval(1) - square / Interval(n * (n - 1)) * sum;
  }
  const Interval value = (odd ? sum : r * sum) + Interval(-0x1p-76, 0x1p-76);
  return quadrant >= 2 ? -value : value;
}

/// |sin'| <= 1: the value at a point of the interval, widened by the distance to its ends.
Interval sine_from(const Interval& a, int quarters) {
  const double mid = a.lo() / 2 + a.hi() / 2;
  const double radius = std::max(sum_up(a.hi(), -mid), sum_up(mid, -a.lo()));
  const Interval value = sine_point(mid, quarters) + Interval(-radius, radius);
  return {std::clamp(value.lo(), -1.0, 1.0), std::clamp(value.hi(), -1.0, 1.0)};
}

// erf t = 2/sqrt(pi) e^{-t^2} Σ_n T_n, T_n = 2^n t^{2n+1} / (1·3···(2n+1)) (DLMF 7.6.2), all terms
// positive for t > 0; once T_{n+1} <= T_n / 2 the terms after T_n add at most T_n.
// For t >= 6: 1 − erf t <= e^{-t^2} / (t sqrt(pi)) < 2^-55.
Interval error_function_point(double x) {
  const double t = std::fabs(x);
  if (t == 0) {
    return {0.0};
  }
  Interval value(1 - 0x1p-53, 1);
  if (t < 6) {
    const Interval square = Interval(t) * Interval(t);
    Interval term(t);
    Interval sum(t);
    for (int n = 1; n < 400; ++n) {
      term = term * Interval(2) * square / Interval(2 * n + 1);
      sum = sum + term;
      if (2 * n + 3 > 4 * square.hi() && term.hi() < 0x1p-60 * sum.lo()) {
        break;
      }
    }
    if (!(term.hi() < 0x1p-60 * sum.lo())) {
      throw Reject("arithmetic", "erf: the series did not end");
    }
    sum = sum + Interval(0, term.hi());
    value = Interval(2) / square_root(pi()) * exponential(-square) * sum;
    value = {value.lo(), std::min(value.hi(), 1.0)};
  }
  return x < 0 ? -value : value;
}

// tanh x = 1 − 2/(e^{2x} + 1); for x > 300: 1 − tanh x < 2^-800.
Interval hyperbolic_tangent_point(double x) {
  const double t = std::fabs(x);
  if (t == 0) {
    return {0.0};
  }
  Interval value(1 - 0x1p-53, 1);
  if (t <= 300) {
    value = Interval(1) - Interval(2) / (exponential(Interval(t) * Interval(2)) + Interval(1));
    value = {std::max(value.lo(), 0.0), std::min(value.hi(), 1.0)};
  }
  return x < 0 ? -value : value;
}

}  // namespace

Interval pi() {
  return {0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};
}

Interval reciprocal_root(const Interval& a) {
  return Interval(1) / square_root(a);
}

Interval sine(const Interval& a) {
  return sine_from(a, 0);
}

Interval cosine(const Interval& a) {
  return sine_from(a, 1);
}

Interval error_function(const Interval& a) {  // rising
  return {error_function_point(a.lo()).lo(), error_function_point(a.hi()).hi()};
}

Interval hyperbolic_tangent(const Interval& a) {  // rising
  return {hyperbolic_tangent_point(a.lo()).lo(), hyperbolic_tangent_point(a.hi()).hi()};
}

// x = k ln 2 + r, Taylor to r^13. r is off by less than 2^-52 (two roundings of numbers below 0.4, ln 2 by
// 2^-97 · 2^11); the rest is below 0.36^14/14! < 2^-56; the coefficients are off by a factor 1 + 13 u
// and Horner's rounding is below γ_26 e^0.36 < 2^-47.7 (Higham, 5.1); e^r >= 0.69. In all a relative
// error below 2^-46. Below −597 the result is 0 and e^x < 2^-860, the floor.
double fast_exponential(double x) {
  constexpr std::array<double, 14> kInverse = [] {
    std::array<double, 14> c{1};
    for (std::size_t n = 1; n < c.size(); ++n) {
      c[n] = c[n - 1] / static_cast<double>(n);
    }
    return c;
  }();
  if (!(x >= -597)) {
    return 0;
  }
  constexpr double kLn2Hi = 0x1.62e42fefa38p-1, kLn2Lo = 0x1.ef35793c7673p-45;
  const double k = std::nearbyint(x * 1.4426950408889634);
  const double r = (x - k * kLn2Hi) - k * kLn2Lo;
  double value = kInverse[13];
  for (std::size_t n = 13; n-- > 0;) {
    value = value * r + kInverse[n];
  }
  return std::ldexp(value, static_cast<int>(k));
}

Interval exponential_of_negative(const Interval& a) {
  if (!(a.hi() <= 0)) {
    throw Reject("arithmetic", "exponential: expected a number that is not positive");
  }
  const Interval factor(1 - 2 * kFastExpError, 1 + 2 * kFastExpError);
  const Interval floor(-kFastExpFloor, kFastExpFloor);
  return {std::max((Interval(fast_exponential(a.lo())) * factor + floor).lo(), 0.0),
          (Interval(fast_exponential(a.hi())) * factor + floor).hi()};
}

}  // namespace assay_check
