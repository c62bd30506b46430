#include "activation.hpp"

#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"
#include "special.hpp"

namespace assay_check {
namespace {

constexpr double kReach = 8;          // the grid covers [-8, 8]
constexpr double kStep = 0x1p-8;      // of the grid
constexpr double kBetween = 0x1p-19;  // between neighbours: 0.85 (2^-8)^2 / 8, docs/theorems.md

}  // namespace

Activation::Activation(ActKind kind) : kind_(kind) {
  const auto points = static_cast<std::size_t>(2 * kReach / kStep) + 1;
  grid_.assign(kind_ == ActKind::relu ? 0 : points, std::nan(""));
  normal_.resize(kind_ == ActKind::gelu ? 2 * points : 0);
}

// x Φ(x), |x| <= 8, from the nearest point g of the grid, x = g + h, |h| <= 2^-9:
//   Φ(x) = Φ(g) + φ(g) (h − g h²/2 + (g²−1) h³/6 − (g³−3g) h⁴/24 + (g⁴−6g²+3) h⁵/120) + rest,
// φ^(k) = (−1)^k He_k φ, |He_5 φ| < 2.4, so |rest| <= 2.4 · 2^-54 / 720 < 2^-62.
Interval Activation::gelu(double x) const {
  const double g = std::nearbyint(x / kStep) * kStep;
  const auto i = 2 * static_cast<std::size_t>((g + kReach) / kStep);
  if (normal_[i].is_zero()) {
    const Interval t(g);
    normal_[i] = Interval(0.5) * (Interval(1) + error_function(t / square_root(Interval(2))));
    normal_[i + 1] = exponential(-(t * t) / Interval(2)) * reciprocal_root(Interval(2) * pi());
  }
  const Interval h(x - g), c(g), c2 = c * c;  // x − g is exact
  const Interval k5 = (c2 * c2 - Interval(6) * c2 + Interval(3)) / Interval(120);
  const Interval k4 = (Interval(3) * c - c2 * c) / Interval(24);
  const Interval k3 = (c2 - Interval(1)) / Interval(6), k2 = -c / Interval(2);
  const Interval series = h * (Interval(1) + h * (k2 + h * (k3 + h * (k4 + h * k5))));
  return Interval(x) * (normal_[i] + normal_[i + 1] * series + Interval(-0x1p-62, 0x1p-62));
}

// Beyond ±16 both GELUs are within |x| e^{-x²/2} <= 16 e^{-128} < 2^-180 of max(x, 0), on the inner side
// for x > 0, below zero for x < 0: 1 − Φ(x) <= φ(x)/x, and 1 − tanh u <= 2 e^{-2u}, u >= 9 x.
// gelu_new = x / (1 + e^{-2u}), u = √(2/π)(x + 0.044715 x³).
Interval Activation::point(double x) const {
  if (kind_ == ActKind::relu) {
    return {std::max(x, 0.0)};
  }
  if (std::fabs(x) > 16) {
    return x > 0 ? Interval(next_down(x), x) : Interval(-0x1p-180, 0);
  }
  const Interval t(x), one(1);
  if (kind_ == ActKind::gelu) {
    return std::fabs(x) <= kReach
               ? gelu(x)
               : Interval(0.5) * t * (one + error_function(t / square_root(Interval(2))));
  }
  static const Interval kTwice = Interval(2) * square_root(Interval(2) / pi());
  static const Interval kCubic = quotient(44715, 1000000);
  const Interval size(std::fabs(x));
  const Interval E = exponential_of_negative(-(kTwice * (size + kCubic * size * size * size)));
  return x >= 0 ? t / (one + E) : t * E / (one + E);
}

double Activation::grid(std::size_t i) const {
  if (std::isnan(grid_[i])) {
    const Interval y = point(static_cast<double>(i) * kStep - kReach);
    grid_[i] = y.lo();
    grid_error_ = std::max(grid_error_, sum_up(y.hi(), -y.lo()));
  }
  return grid_[i];
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
  // k 2^-8 for k = first … last, counted from −8
  const double first = std::ceil(std::max(z.lo(), -kReach) / kStep) + kReach / kStep;
  const double last = std::floor(std::min(z.hi(), kReach) / kStep) + kReach / kStep;
  if (first <= last) {
    const double size = 2 * kReach * std::fabs(a) + 2 * kReach + 1;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (auto k = static_cast<std::size_t>(first); k <= static_cast<std::size_t>(last); ++k) {
      const double y = grid(k) - a * (static_cast<double>(k) * kStep - kReach);
      low = std::min(low, y);
      high = std::max(high, y);
    }
    const double error = grid_error_ + 0x1p-50 * size;  // and two roundings below `size`
    all = hull(all, Interval(low, high) + Interval(-error, error));
  }
  return all + Interval(-kBetween, kBetween);
}

}  // namespace assay_check
