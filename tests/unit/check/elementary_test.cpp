#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <random>

#include "activation.hpp"
#include "catch.hpp"
#include "elementary.hpp"
#include "linear.hpp"
#include "reject.hpp"
#include "special.hpp"

using namespace assay_check;
using Real = boost::multiprecision::cpp_bin_float_100;

namespace {

/// The interval holds the value and is at most `width` wide.
bool holds(const Interval& i, const Real& value, double width) {
  return Real(i.lo()) <= value && value <= Real(i.hi()) && i.hi() - i.lo() <= width;
}

class Numbers {
 public:
  double operator()(double size) {
    return (static_cast<double>(random_() >> 11) * 0x1p-52 - 1) * size;
  }

 private:
  std::mt19937_64 random_{4};
};

/// erf by its Taylor series in 100 digits, which has digits to spare for |x| <= 8.
Real erf_series(const Real& x) {
  Real term = x, sum = x;
  for (int n = 1; n < 300; ++n) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2 / sqrt(boost::math::constants::pi<Real>()) * sum;
}

Real gelu(const Real& x) {
  return abs(x) > 9 ? (x > 0 ? x : Real(0)) : x / 2 * (1 + erf_series(x / sqrt(Real(2))));
}

Real gelu_new(const Real& x) {
  const Real cubic = Real(44715) / 1000000 * x * x * x;
  // 1 + tanh u = 2 / (1 + e^{-2u}), without cancellation
  return x / (1 + exp(-2 * sqrt(2 / boost::math::constants::pi<Real>()) * (x + cubic)));
}

}  // namespace

TEST_CASE("elementary functions enclose 100-digit values") {
  Numbers number;
  CHECK(holds(pi(), boost::math::constants::pi<Real>(), 1e-15));
  for (int trial = 0; trial < 800; ++trial) {
    const double x = number(trial % 3 == 0 ? 0x1p20 : 12);
    CHECK(holds(sine(Interval(x)), sin(Real(x)), 2e-15));
    CHECK(holds(cosine(Interval(x)), cos(Real(x)), 2e-15));
    const double t = number(trial % 2 == 0 ? 7 : 0.5);
    CHECK(holds(error_function(Interval(t)), erf_series(Real(t)), 1e-13));
    const double p = std::fabs(number(30)) + 1e-9;
    CHECK(holds(reciprocal_root(Interval(p)), 1 / sqrt(Real(p)), 1e-15 / std::sqrt(p)));
    const double y = -std::fabs(number(trial % 2 == 0 ? 600 : 30));
    const Real e = exp(Real(y));
    CHECK(abs(Real(fast_exponential(y)) - e) <= Real(kFastExpError) * e + Real(kFastExpFloor));
    CHECK(holds(exponential_of_negative(Interval(y)), e, 1e-13));
  }
  for (const double x : {0.0, 1.0, -1.0, 1e-300, 5.9999, 6.0, -6.0, 300.0, 301.0, -400.0}) {
    CHECK(holds(error_function(Interval(x)),
                std::fabs(x) < 8 ? erf_series(Real(x)) : Real(x > 0 ? 1 : -1), 1e-13));
    CHECK(error_function(Interval(x)).lo() >= -1);
    CHECK(error_function(Interval(x)).hi() <= 1);
  }
  CHECK(sine(Interval(-10, 10)).lo() == -1);
  CHECK(sine(Interval(1, 1.1)).lo() <= std::sin(1.0));
  CHECK(sine(Interval(1, 1.1)).hi() >= std::sin(1.1));
  CHECK_THROWS_AS(sine(Interval(0x1p22)), Reject);
  CHECK_THROWS_AS(reciprocal_root(Interval(0)), Reject);
  CHECK_THROWS_AS(exponential_of_negative(Interval(1)), Reject);
}

TEST_CASE("activations enclose their functions, and their residuals every point of the range") {
  Numbers number;
  const std::vector<std::pair<ActKind, Real (*)(const Real&)>> kinds = {
      {ActKind::relu, [](const Real& x) { return x > 0 ? x : Real(0); }},
      {ActKind::gelu, gelu},
      {ActKind::gelu_new, gelu_new}};
  for (const auto& [kind, exact] : kinds) {
    const Activation act(kind);
    for (int trial = 0; trial < 150; ++trial) {
      const double x = number(trial % 4 == 0 ? 20 : trial % 4 == 1 ? 9 : 3);
      CHECK(holds(act.value(Interval(x)), exact(Real(x)), 4e-13));
      const double w = std::fabs(number(trial % 5 == 0 ? 10 : 1e-3));
      const double a = number(1.5);
      const Interval z(x, x + w);
      const Interval wide = act.value(z), rest = act.residual(z, a);
      double low = HUGE_VAL, high = -HUGE_VAL;
      for (int k = 0; k <= 24; ++k) {
        const double at = std::min(x + w * k / 24, z.hi());
        const Real value = exact(Real(at)), residual = value - Real(a) * Real(at);
        CHECK((Real(wide.lo()) <= value && value <= Real(wide.hi())));
        CHECK((Real(rest.lo()) <= residual && residual <= Real(rest.hi())));
        low = std::min(low, static_cast<double>(residual));
        high = std::max(high, static_cast<double>(residual));
      }
      if (w < 1e-2) {  // the residual is not far too wide
        CHECK(rest.hi() - rest.lo() <= high - low + 3 * 0x1p-19);
      }
    }
  }
}

// |gelu_new''| <= 0.85 on [−8, 8], on which the grid of the residual rests; gelu'' = φ(x)(2 − x²) is plain.
TEST_CASE("the curvature of both GELUs stays below 0.85") {
  const Interval k = square_root(Interval(2) / pi()), c = quotient(44715, 1000000), one(1);
  double most = 0;
  for (double x = -8; x < 8; x += 0x1p-8) {
    const Interval t(x, x + 0x1p-8), t2 = square(t);
    const Interval u = k * (t + c * t2 * t), first = k * (one + Interval(3) * c * t2);
    const auto tanh_at = [](double v) {
      return Interval(1) - Interval(2) / (exponential(Interval(2 * v)) + Interval(1));
    };
    const Interval tanh(std::max(tanh_at(u.lo()).lo(), -1.0), std::min(tanh_at(u.hi()).hi(), 1.0));
    const Interval inner =
        first + t * (k * Interval(6) * c * t) / Interval(2) - t * tanh * square(first);
    const Interval second = (one - square(tanh)) * inner;
    const Interval gelu =
        exponential(-t2 / Interval(2)) * reciprocal_root(Interval(2) * pi()) * (Interval(2) - t2);
    most = std::max({most, second.hi(), -second.lo(), gelu.hi(), -gelu.lo()});
  }
  CHECK(most <= 0.85);
  CHECK(most >= 0.79);
}

TEST_CASE("products with error terms enclose exact sums") {
  Numbers number;
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t n = 1 + static_cast<std::size_t>(trial) % 17, m = 5;
    std::vector<float> W, b;
    std::vector<Interval> x;
    std::vector<double> inside;
    for (std::size_t i = 0; i < n * m; ++i) {
      W.push_back(static_cast<float>(number(trial % 7 == 0 ? 1e30 : 2)));
    }
    for (std::size_t i = 0; i < m; ++i) {
      b.push_back(static_cast<float>(number(1)));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double lo = number(3), w = trial % 2 == 0 ? 0 : std::fabs(number(1e-3));
      x.emplace_back(lo, lo + w);
      inside.push_back(lo + w / 2);
    }
    const Ball y = times(Ball(x), W.data(), m, b.data());
    const Ball rows = times(W.data(), m, Ball(x));
    for (std::size_t c = 0; c < m; ++c) {
      Real sum = b[c], row = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += Real(inside[i]) * Real(W[i * m + c]);
        row += Real(inside[i]) * Real(W[c * n + i]);
      }
      CHECK((Real(y[c].lo()) <= sum && sum <= Real(y[c].hi())));
      CHECK((Real(rows[c].lo()) <= row && row <= Real(rows[c].hi())));
    }
    const std::vector<Interval> P = centred(x);
    Real mean = 0;
    for (const double v : inside) {
      mean += Real(v) / n;
    }
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(
          (Real(P[i].lo()) <= Real(inside[i]) - mean && Real(inside[i]) - mean <= Real(P[i].hi())));
    }
  }
  CHECK(square(Interval(-2, 1)).lo() == 0);
  CHECK(square(Interval(-2, 1)).hi() >= 4);
  CHECK(square(Interval(-3, -2)).lo() <= 4);
  CHECK(square(Interval(-3, -2)).lo() > 3.99);
  CHECK_THROWS_AS(Ball(std::vector<Interval>{Interval(0x1p400)}), Reject);
}
