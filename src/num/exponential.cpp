#include <cmath>

#include "assay/num/interval.hpp"

namespace assay {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ln 2 = kLn2High + kLn2Low + e, |e| < 2^-107 * ln 2: kLn2High has 32 significant bits, so that
// k * kLn2High is exact for |k| < 2^20; the low part is enclosed.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
const Interval kLn2Low{0x1.a39ef35793c76p-33, 0x1.a39ef35793c77p-33};

/// exp on |r| <= 0.36 by Horner's rule on the Taylor polynomial of degree 17, with the
/// remainder |r|^18/18! * e^|r| < 2^-76 added to both sides.
Interval exp_reduced(Interval r) {
  Interval sum(1.0);
  for (int n = 17; n >= 1; --n) {
    sum = Interval(1.0) + (r * sum) / Interval(static_cast<double>(n));
  }
  return sum + Interval(-0x1p-76, 0x1p-76);
}

Interval exp_point(double x) {
  if (std::isnan(x)) {
    return {kNan, kNan};
  }
  if (x > 709.0) {  // e^709 > 2^1022, e^710 > every double
    return {x > 710.0 ? std::numeric_limits<double>::max() : 0x1p1022, kInf};
  }
  if (x < -708.0) {  // e^-708 < 2^-1021, e^-746 < every double above 0
    return {0.0, x < -746.0 ? std::numeric_limits<double>::denorm_min() : 0x1p-1021};
  }
  const double k = std::nearbyint(x * 1.4426950408889634);
  const Interval r = (Interval(x) - Interval(k * kLn2High)) - Interval(k) * kLn2Low;
  if (!(r.lo > -0.36 && r.hi < 0.36)) {
    return {0.0, kInf};  // cannot happen; an enclosure all the same
  }
  const Interval e = exp_reduced(r);
  const int exponent = static_cast<int>(k);
  // Scaling by 2^k is exact away from underflow, and one more outward step covers the rest.
  return {std::fmax(0.0, round_down(std::ldexp(e.lo, exponent))),
          round_up(std::ldexp(e.hi, exponent))};
}

}  // namespace

Interval exp(Interval a) {
  return {exp_point(a.lo).lo, exp_point(a.hi).hi};
}

Interval log(Interval a) {
  if (!(a.lo > 0)) {
    return {a.hi > 0 ? -kInf : kNan, a.hi > 0 ? kInf : kNan};
  }
  // y encloses ln x when exp(y.lo) <= x <= exp(y.hi): start at libm's answer and widen until the
  // rigorous exp confirms it, so libm is never trusted.
  const auto lower = [](double x) {
    double y = std::log(x);
    for (double step = 0x1p-50; !(exp_point(y).hi <= x); step *= 2) {
      y = round_down(y - step * std::fmax(1.0, std::fabs(y)));
    }
    return y;
  };
  const auto upper = [](double x) {
    double y = std::log(x);
    for (double step = 0x1p-50; !(exp_point(y).lo >= x); step *= 2) {
      y = round_up(y + step * std::fmax(1.0, std::fabs(y)));
    }
    return y;
  };
  if (!std::isfinite(a.hi)) {
    return {lower(a.lo), kInf};
  }
  return {lower(a.lo), upper(a.hi)};
}

}  // namespace assay
