#include <algorithm>
#include <catch.hpp>
#include <cmath>

#include "assay/num/interval.hpp"

using assay::Interval;

namespace {

/// gelu_new' = Phi~ + z Phi~' with Phi~ = (1 + tanh u)/2 = 1/(1 + e^{-2u}), enclosed at one point.
Interval gelu_new_slope(double z) {
  const Interval x(z);
  const Interval c = sqrt(Interval(2.0) / Interval(0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1));
  const Interval k(0.044714999, 0.044715001);
  const Interval u = c * (x + k * x * x * x);
  const Interval du = c * (Interval(1.0) + Interval(3.0) * k * x * x);
  const Interval p = Interval(1.0) / (Interval(1.0) + exp(Interval(-2.0) * u));
  return p + x * Interval(2.0) * p * (Interval(1.0) - p) * du;
}

}  // namespace

// FLOAT32-ANY-ORDER takes gelu' and gelu_new' within [−0.14, 1.14] and both functions above −0.2. Between
// grid points of 2^-8 the slope moves by at most 0.85 · 2^-9 (|act''| <= 0.85, activation_test.cpp); beyond 8
// both slopes are within 2^-30 of 0 or 1.
TEST_CASE("the slopes of gelu and gelu_new stay within those of FLOAT32-ANY-ORDER") {
  double lo = 0, hi = 0, least = 0;
  for (int i = -8 * 256; i <= 8 * 256; ++i) {
    const double z = i / 256.0;
    const Interval tilde = gelu_new_slope(z);
    lo = std::min(lo, tilde.lo);
    hi = std::max(hi, tilde.hi);
    const double erf_slope = 0.5 * std::erfc(-z / std::sqrt(2.0)) +
                             z * std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
    lo = std::min(lo, erf_slope - 1e-12);
    hi = std::max(hi, erf_slope + 1e-12);
    least = std::min(least, 0.5 * z * std::erfc(-z / std::sqrt(2.0)));
    least = std::min(
        least,
        0.5 * z * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (z + 0.044715 * z * z * z))));
  }
  CHECK(lo - 0.85 * 0x1p-9 > -0.14);
  CHECK(hi + 0.85 * 0x1p-9 < 1.14);
  CHECK(least - 1.14 * 0x1p-9 > -0.2);
  CHECK(hi > 1.1);
}
