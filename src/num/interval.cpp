#include "assay/num/interval.hpp"

#include <algorithm>

namespace assay {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// min and max that keep a NaN: std::min(0.0, NaN) would drop it.
double keep_nan_min(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNan : std::min(a, b);
}
double keep_nan_max(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? kNan : std::max(a, b);
}

}  // namespace

Interval operator*(Interval a, Interval b) {
  const double p = a.lo * b.lo;
  const double q = a.lo * b.hi;
  const double r = a.hi * b.lo;
  const double s = a.hi * b.hi;
  return {round_down(keep_nan_min(keep_nan_min(p, q), keep_nan_min(r, s))),
          round_up(keep_nan_max(keep_nan_max(p, q), keep_nan_max(r, s)))};
}

Interval operator/(Interval a, Interval b) {
  if (!(b.lo > 0 || b.hi < 0)) {
    return {-kInf, kInf};
  }
  const double p = a.lo / b.lo;
  const double q = a.lo / b.hi;
  const double r = a.hi / b.lo;
  const double s = a.hi / b.hi;
  return {round_down(keep_nan_min(keep_nan_min(p, q), keep_nan_min(r, s))),
          round_up(keep_nan_max(keep_nan_max(p, q), keep_nan_max(r, s)))};
}

Interval sqrt(Interval a) {
  if (!(a.lo >= 0)) {
    return {kNan, kNan};
  }
  // IEEE 754 square root is correctly rounded.
  return {std::max(0.0, round_down(std::sqrt(a.lo))), round_up(std::sqrt(a.hi))};
}

Interval relu(Interval a) {
  return {keep_nan_max(a.lo, 0.0), keep_nan_max(a.hi, 0.0)};
}

Interval hull(Interval a, Interval b) {
  return {keep_nan_min(a.lo, b.lo), keep_nan_max(a.hi, b.hi)};
}

}  // namespace assay
