#include "assay/num/trigonometry.hpp"

namespace assay {
namespace {

// pi/2 = kHalfPiHigh + kHalfPiLow + e, |e| < 2^-106; kHalfPiHigh has 31 significant bits, so
// that k * kHalfPiHigh is exact for |k| < 2^20.
constexpr double kHalfPiHigh = 0x1.921fb54400000p+0;
constexpr Interval kHalfPiLow{0x1.0b4611a626331p-34, 0x1.0b4611a626332p-34};

Interval clamp(Interval a) {
  return {std::fmax(a.lo, -1.0), std::fmin(a.hi, 1.0)};
}

/// sum_{n<12} (-1)^n r^(2n+first) / (2n+first)! for |r| <= 1; the rest is below 2^-79.
Interval series(Interval r, int first) {
  const Interval square = r * r;
  Interval sum(1.0);
  for (int n = 11; n >= 1; --n) {
    const double divisor = static_cast<double>((2 * n + first) * (2 * n + first - 1));
    sum = Interval(1.0) - square * sum / Interval(divisor);
  }
  return (first == 1 ? r * sum : sum) + Interval(-0x1p-76, 0x1p-76);
}

/// cos for shift 0, sin for shift 3: sin x = cos(x + 3 pi/2).
Interval turned(Interval a, int shift) {
  if (!(a.width() <= 1) || !(std::fabs(a.lo) < 0x1p20)) {
    return a.is_valid() ? Interval(-1.0, 1.0) : Interval(std::numeric_limits<double>::quiet_NaN());
  }
  const double k = std::nearbyint((a.lo + a.width() / 2) * 0.63661977236758134);
  const Interval r = (a - Interval(k * kHalfPiHigh)) - Interval(k) * kHalfPiLow;
  if (!(r.lo >= -1 && r.hi <= 1)) {
    return {-1.0, 1.0};  // beyond the series
  }
  const int quarter = static_cast<int>(std::fmod(k, 4.0) + 8 + shift) % 4;
  const Interval c = series(r, 0);
  const Interval s = series(r, 1);
  switch (quarter) {
    case 0:
      return clamp(c);
    case 1:
      return clamp(-s);
    case 2:
      return clamp(-c);
    default:
      return clamp(s);
  }
}

}  // namespace

Interval cos(Interval a) {
  return turned(a, 0);
}

Interval sin(Interval a) {
  return turned(a, 3);
}

}  // namespace assay
