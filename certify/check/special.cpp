#include "special.hpp"

#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

// pi/2 = kQuarterHi + a number in kQuarterLo; an integer below 2^22 times kQuarterHi is a double.
constexpr double kQuarterHi = 0x1.921fb54p+0;
const Interval kQuarterLo(0x1.10b4611a62633p-30, 0x1.10b4611a62634p-30);

/// The sine of x (quarters = 0) or of x + pi/2 (quarters = 1), via x = k pi/2 + r, |r| <= 0.8.
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
  const bool odd = (quadrant & 1) != 0;  // sine of r + pi/2: cosine of r
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

}  // namespace

Interval pi() {
  return {0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};
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

}  // namespace assay_check
