#include <catch.hpp>
#include <cmath>
#include <numbers>

#include "../../../src/bounds/activation.hpp"
#include "assay/num/trigonometry.hpp"

using namespace assay;
using namespace assay::bounds;

TEST_CASE("activations: the enclosure holds libm's value and is narrow") {
  for (const ActFn act : {ActFn::relu, ActFn::gelu_erf, ActFn::gelu_tanh}) {
    for (double x = -9; x <= 9; x += 0.0371) {
      CAPTURE(x);
      const Interval v = activation(act, x);
      const double nearest = nearest_activation(act, x);
      CHECK(v.lo - 1e-14 <= nearest);
      CHECK(nearest <= v.hi + 1e-14);
      CHECK(v.width() < 2e-12);
    }
  }
  // Two functions, not one.
  CHECK(activation(ActFn::gelu_erf, -2.7).hi < activation(ActFn::gelu_tanh, -2.7).lo - 4e-4);
}

TEST_CASE("residual_range holds act(z) - a z all over the range") {
  for (const ActFn act : {ActFn::relu, ActFn::gelu_erf, ActFn::gelu_tanh}) {
    for (const double slope : {-0.2, 0.0, 0.3, 1.0, 1.2}) {
      for (const auto& [lo, hi] : {std::pair{-3.0, 2.0},
                                   {-0.001, 0.002},
                                   {0.5, 0.75},
                                   {-20.0, 20.0},
                                   {-30.0, -9.0},
                                   {7.9, 12.0}}) {
        const Interval r = residual_range(act, {lo, hi}, slope);
        double least = INFINITY;
        double most = -INFINITY;
        for (int i = 0; i <= 4000; ++i) {
          const double z = lo + (hi - lo) * i / 4000;
          const double v = nearest_activation(act, z) - slope * z;
          least = std::min(least, v);
          most = std::max(most, v);
        }
        CHECK(r.lo <= least + 1e-13);
        CHECK(r.hi >= most - 1e-13);
        CHECK(r.lo >= least - 1e-3);
        CHECK(r.hi <= most + 1e-3);
      }
    }
  }
  CHECK(std::isnan(residual_range(ActFn::gelu_erf, {NAN, 1.0}, 0.5).hi));
  CHECK(std::isnan(residual_range(ActFn::relu, {0.0, INFINITY}, 0.5).hi));
}

TEST_CASE("approximate_activation is within its radius") {
  for (const ActFn act : {ActFn::relu, ActFn::gelu_erf, ActFn::gelu_tanh}) {
    for (double x = -9; x <= 9; x += 0.00371) {
      const Approximation a = approximate_activation(act, x);
      CHECK(std::fabs(a.mid - nearest_activation(act, x)) <= a.radius);
    }
  }
}

namespace {

/// |act''| over [lo, hi] for gelu_new: sech²u [u' + x u''/2 − x tanh(u) u'²], enclosed.
Interval tanh_gelu_second(Interval x) {
  const Interval c = sqrt(Interval(2.0) / kPi);
  const Interval a{round_down(0.044715), round_up(0.044715)};
  const Interval square = x * x;
  const Interval u = c * x * (Interval(1.0) + a * square);
  const Interval du = c * (Interval(1.0) + Interval(3.0) * a * square);
  const Interval ddu = Interval(6.0) * c * a * x;
  // tanh and sech² from the ends: tanh rises; sech² = 1 - tanh².
  const auto tanh_at = [](double v) {
    return Interval(1.0) - Interval(2.0) / (exp(Interval(2.0) * Interval(v)) + Interval(1.0));
  };
  const Interval t{tanh_at(u.lo).lo, tanh_at(u.hi).hi};
  const Interval sech = Interval(1.0) - t * t;
  return sech * (du + x * ddu / Interval(2.0) - x * t * du * du);
}

}  // namespace

TEST_CASE("gelu_new: |act''| <= 0.85 on [-8, 8], by interval subdivision") {
  double most = 0;
  for (int i = -8 * 256; i < 8 * 256; ++i) {
    const Interval x{i / 256.0, (i + 1) / 256.0};
    const Interval second = tanh_gelu_second(x);
    REQUIRE(second.is_valid());
    most = std::max({most, -second.lo, second.hi});
  }
  CHECK(most <= 0.85);
  CHECK(most >= 0.79);
}

TEST_CASE("cos and sin: enclosures hold libm's values and are narrow") {
  for (double x = -40; x <= 4000; x += 0.7371) {
    CAPTURE(x);
    for (const auto& [enclosure, nearest] :
         {std::pair{cos(Interval(x)), std::cos(x)}, {sin(Interval(x)), std::sin(x)}}) {
      CHECK(enclosure.lo - 1e-15 <= nearest);
      CHECK(nearest <= enclosure.hi + 1e-15);
      CHECK(enclosure.width() < 1e-11);
    }
  }
  const Interval wide = cos(Interval(-0.25, 0.25));
  CHECK(wide.lo <= std::cos(0.25));
  CHECK(wide.hi >= 1.0);
  CHECK(sin(Interval(0.0, 7.0)).lo == -1.0);
  CHECK(std::isnan(cos(Interval(NAN)).lo));
}
