#include "activation.hpp"

#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr double kReach = 8;          // the grid covers [-8, 8]
constexpr double kStep = 0x1p-8;      // of the grid
constexpr double kBetween = 0x1p-19;  // between neighbours: 0.85 (2^-8)^2 / 8, docs/theorems.md

}  // namespace

Activation::Activation(ActKind kind) : kind_(kind) {
  if (kind_ == ActKind::relu) {
    return;
  }
  for (double x = -kReach; x <= kReach; x += kStep) {
    const Interval y = point(x);
    grid_.push_back(y.lo());
    grid_error_ = std::max(grid_error_, sum_up(y.hi(), -y.lo()));
  }
}

// Beyond ±16 both GELUs are within |x| e^{-x²/2} <= 16 e^{-128} < 2^-180 of max(x, 0), on the inner side
// for x > 0, below zero for x < 0: 1 − Φ(x) <= φ(x)/x, and 1 − tanh u <= 2 e^{-2u}, u >= 9 x.
Interval Activation::point(double x) const {
  if (kind_ == ActKind::relu) {
    return {std::max(x, 0.0)};
  }
  if (std::fabs(x) > 16) {
    return x > 0 ? Interval(next_down(x), x) : Interval(-0x1p-180, 0);
  }
  const Interval t(x);
  Interval s;
  if (kind_ == ActKind::gelu) {
    s = error_function(t / square_root(Interval(2)));
  } else {
    const Interval cubic = quotient(44715, 1000000) * t * t * t;
    s = hyperbolic_tangent(square_root(Interval(2) / pi()) * (t + cubic));
  }
  return Interval(0.5) * t * (Interval(1) + s);
}

// relu rises. |gelu'| = |Φ + x φ| <= 1 + φ(1) < 2; |gelu_new'| <= 1 + ½ |x| u' sech² u <= 1 + 1.5 |u| sech² u
// < 2, since x u' <= 3u and u sech² u < 0.45.
Interval Activation::value(const Interval& x) const {
  if (kind_ == ActKind::relu) {
    return positive_part(x);
  }
  const double mid = x.lo() / 2 + x.hi() / 2;
  const double radius = std::max(sum_up(x.hi(), -mid), sum_up(mid, -x.lo()));
  return point(mid) + Interval(-2 * radius, 2 * radius);
}

// RESIDUAL-RANGE: relu(z) − a z has its extrema at the ends or at its kink, 0. For the GELUs the extrema
// over the ends and the multiples of 2^-8 in [−8, 8] miss those over the range by at most 2^-19.
Interval Activation::residual(const Interval& z, double a) const {
  const auto at = [&](double x) { return point(x) - Interval(a) * Interval(x); };
  Interval all = hull(at(z.lo()), at(z.hi()));
  if (kind_ == ActKind::relu) {
    return z.lo() < 0 && z.hi() > 0 ? hull(all, Interval(0)) : all;
  }
  const double first = std::ceil(std::max(z.lo(), -kReach) / kStep);
  const double last = std::floor(std::min(z.hi(), kReach) / kStep);
  if (first <= last) {
    const double size = 2 * kReach * std::fabs(a) + 2 * kReach + 1;
    const double error = Interval(grid_error_ + 0x1p-51 * size).hi();  // two roundings below `size`
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (double k = first; k <= last; ++k) {
      const double y = grid_[static_cast<std::size_t>(k + kReach / kStep)] - a * (k * kStep);
      low = std::min(low, y);
      high = std::max(high, y);
    }
    all = hull(all, Interval(low, high) + Interval(-error, error));
  }
  return all + Interval(-kBetween, kBetween);
}

}  // namespace assay_check
