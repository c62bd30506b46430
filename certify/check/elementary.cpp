#include "elementary.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "reject.hpp"

namespace assay_check {
namespace {

// ln 2 = kLn2Hi + a number in kLn2Lo; an integer below 2^11 times kLn2Hi is a double.
constexpr double kLn2Hi = 0x1.62e42fefa38p-1;
const Interval kLn2Lo(0x1.ef35793c76730p-45, 0x1.ef35793c76731p-45);

// e^r for |r| <= 0.4: Taylor to degree 17; the rest is below 2 |r|^18 / 18! < 2^-74.
Interval exponential_reduced(const Interval& r) {
  Interval value(1);
  for (int n = 17; n >= 1; --n) {
    value = Interval(1) + value * r / Interval(n);
  }
  return value + Interval(-0x1p-74, 0x1p-74);
}

Interval exponential_point(double x) {
  if (x < -690) {
    return {0, 0x1p-995};  // e^-690 < 2^-995
  }
  if (!(x <= 690)) {
    throw Reject("arithmetic", "exponent above 690");
  }
  const double k = std::nearbyint(x / 0.6931471805599453);  // any integer near will do
  const Interval r = Interval(x) - Interval(k * kLn2Hi) - Interval(k) * kLn2Lo;
  if (!(r.lo() >= -0.4 && r.hi() <= 0.4)) {
    throw Reject("arithmetic", "exponential: reduction failed");
  }
  const Interval value = exponential_reduced(r);
  const double scale = std::ldexp(1.0, static_cast<int>(k));  // |k| <= 996: exact, normal
  return {value.lo() * scale, value.hi() * scale};            // value in [0.6, 1.6]: exact
}

// ln x = k ln 2 + 2 artanh t, t = (m - 1)/(m + 1), x = m 2^k, m in [0.7, 1.5). With |t| <= 0.21 the
// terms after t^31 add less than 2^-74.
Interval logarithm_point(double x) {
  int k = 0;
  double m = std::frexp(x, &k);
  if (m < 0.7) {
    m *= 2;
    k -= 1;
  }
  const Interval t = (Interval(m) - Interval(1)) / (Interval(m) + Interval(1));
  if (!(t.lo() >= -0.21 && t.hi() <= 0.21)) {
    throw Reject("arithmetic", "logarithm: reduction failed");
  }
  const Interval t2 = t * t;
  Interval sum(0);
  for (int n = 31; n >= 1; n -= 2) {
    sum = sum * t2 + Interval(1) / Interval(n);
  }
  const Interval rest = x == 1 ? Interval(0) : Interval(-0x1p-74, 0x1p-74);
  return Interval(k * kLn2Hi) + Interval(k) * kLn2Lo + Interval(2) * (t * sum) + rest;
}

}  // namespace

Interval exponential(const Interval& a) {
  if (a.is_zero()) {
    return {1.0};
  }
  return {exponential_point(a.lo()).lo(), exponential_point(a.hi()).hi()};
}

Interval logarithm(const Interval& a) {
  if (!(a.lo() > 0)) {
    throw Reject("arithmetic", "logarithm of an interval that is not positive");
  }
  return {logarithm_point(a.lo()).lo(), logarithm_point(a.hi()).hi()};
}

Interval reciprocal_root(const Interval& a) {
  return Interval(1) / square_root(a);
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
