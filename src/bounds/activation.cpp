#include "activation.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "assay/num/trigonometry.hpp"

namespace assay::bounds {
namespace {

constexpr double kEnd = 8;            // beyond it act is max(z, 0) up to 2^-40
constexpr int kPerUnit = 256;         // grid points a unit
constexpr double kBetween = 0x1p-19;  // >= 0.85 (2^-8)^2 / 8 + 2^-40
constexpr double kTail = 0x1p-40;

/// A decimal constant: the decimal and its nearest double.
Interval decimal_constant(double x) {
  return {round_down(x), round_up(x)};
}

/// Phi(x) for 0 <= x <= 8.
Interval normal_cdf(double x) {
  const Interval X(x);
  const Interval square = X * X;
  Interval term = X;
  Interval sum = X;
  double odd = 1;
  // Terms fall by x^2/(2k+3); once that is below 1/2 the rest is less than the last term.
  do {
    odd += 2;
    term = term * square / Interval(odd);
    sum += term;
  } while (!(square.hi < odd / 2 && term.hi < 0x1p-80 * (1 + sum.lo)));
  sum.hi = round_up(sum.hi + term.hi);
  const Interval density = exp(-square / Interval(2.0)) / sqrt(Interval(2.0) * kPi);
  const Interval phi = Interval(0.5) + density * sum;
  return {std::max(phi.lo, 0.5), std::min(phi.hi, 1.0)};
}

Interval gelu_erf(double x) {
  if (x >= 0) {
    return Interval(x) * normal_cdf(x);
  }
  const Interval tail = Interval(1.0) - normal_cdf(-x);
  return Interval(x) * Interval(std::max(tail.lo, 0.0), tail.hi);
}

Interval gelu_tanh(double x) {
  const Interval X(x);
  const Interval u = sqrt(Interval(2.0) / kPi) * (X + decimal_constant(0.044715) * X * X * X);
  // (1 + tanh u)/2 = 1/(1 + e^{-2u})
  return X / (Interval(1.0) + exp(Interval(-2.0) * u));
}

/// act at the multiples of 2^-8 in [-8, 8].
const std::vector<Interval>& grid(ActFn act) {
  const auto make = [](ActFn which) {
    std::vector<Interval> values;
    for (int i = -8 * kPerUnit; i <= 8 * kPerUnit; ++i) {
      values.push_back(activation(which, static_cast<double>(i) / kPerUnit));
    }
    return values;
  };
  static const std::vector<Interval> erf_grid = make(ActFn::gelu_erf);
  static const std::vector<Interval> tanh_grid = make(ActFn::gelu_tanh);
  return act == ActFn::gelu_erf ? erf_grid : tanh_grid;
}

}  // namespace

Interval activation(ActFn act, double x) {
  if (act == ActFn::relu) {
    return relu(Interval(x));
  }
  if (std::isnan(x)) {
    return {x, x};
  }
  if (x > kEnd) {
    return {round_down(x - kTail), x};
  }
  if (x < -kEnd) {
    return {-kTail, 0.0};
  }
  return act == ActFn::gelu_erf ? gelu_erf(x) : gelu_tanh(x);
}

Interval activation(ActFn act, Interval z) {
  if (act == ActFn::relu) {
    return relu(z);
  }
  return residual_range(act, z, 0.0);
}

Interval residual_range(ActFn act, Interval range, double slope) {
  if (!range.is_valid() || !(range.lo > -1e300 && range.hi < 1e300) || !std::isfinite(slope)) {
    return Interval(std::numeric_limits<double>::quiet_NaN());
  }
  const auto at = [&](double z, Interval value) { return value - Interval(slope) * Interval(z); };
  const auto join = [](Interval a, Interval b) {
    return Interval{std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
  };
  Interval out =
      join(at(range.lo, activation(act, range.lo)), at(range.hi, activation(act, range.hi)));
  if (act == ActFn::relu) {
    return range.lo < 0 && range.hi > 0 ? join(out, Interval(0.0)) : out;
  }
  if (range.lo == range.hi) {
    return out;
  }
  const std::vector<Interval>& values = grid(act);
  constexpr double end = kEnd * kPerUnit;
  const auto first = static_cast<int>(std::clamp(std::ceil(range.lo * kPerUnit), -end, end + 1));
  const auto last = static_cast<int>(std::clamp(std::floor(range.hi * kPerUnit), -end - 1, end));
  for (int k = first; k <= last; ++k) {
    const double z = static_cast<double>(k) / kPerUnit;
    // One rounding of the product and one of the difference, both below 2^-50 of the sizes.
    const Interval value = values[static_cast<std::size_t>(k + kEnd * kPerUnit)];
    const double product = slope * z;
    const double slack = 0x1p-50 * (std::fabs(product) + 16);
    out.lo = std::min(out.lo, (value.lo - product) - slack);
    out.hi = std::max(out.hi, (value.hi - product) + slack);
  }
  return {round_down(out.lo - kBetween), round_up(out.hi + kBetween)};
}

Approximation approximate_activation(ActFn act, double x) {
  if (act == ActFn::relu || !(std::fabs(x) < kEnd)) {
    return {std::isnan(x) ? x : std::max(x, 0.0), act == ActFn::relu ? 0.0 : kTail};
  }
  // The chord of a cell is within 0.85 2^-19 of act; its evaluation within 2^-45.
  const std::vector<Interval>& values = grid(act);
  const double k = std::min(std::floor(x * kPerUnit), kEnd * kPerUnit - 1);
  const auto at = static_cast<std::size_t>(k + kEnd * kPerUnit);
  const double left = values[at].lo;
  const double part = x * kPerUnit - k;
  return {left + part * (values[at + 1].lo - left), kBetween};
}

}  // namespace assay::bounds
