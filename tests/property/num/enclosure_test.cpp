#include <boost/multiprecision/cpp_dec_float.hpp>

#include "assay/base/random.hpp"
#include "assay/num/interval.hpp"
#include "catch.hpp"

using assay::Interval;
using Exact = boost::multiprecision::cpp_dec_float_100;  // the second, dumber program

namespace {
bool encloses(Interval i, const Exact& x) {
  return Exact(i.lo) <= x && x <= Exact(i.hi);
}
}  // namespace

TEST_CASE("ENCLOSE: exp and log contain the 100-digit value") {
  assay::Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const double x = (random.unit() - 0.5) * (i % 2 == 0 ? 2.0 : 600.0);
    const Exact truth = boost::multiprecision::exp(Exact(x));
    const Interval e = assay::exp(Interval(x));
    REQUIRE(encloses(e, truth));
    REQUIRE(e.width() <= 1e-14 * e.hi);
    const double y = e.hi;
    REQUIRE(encloses(assay::log(Interval(y)), boost::multiprecision::log(Exact(y))));
  }
}

TEST_CASE("ENCLOSE: exp and log at both ends of the range of a double") {
  assay::Random random(13);
  for (int i = 0; i < 2000; ++i) {
    for (const double x : {-746.0 + 2 * random.unit(), -709.0 + 2 * random.unit(),
                           708.5 + 1.5 * random.unit(), 710.0 + random.unit()}) {
      const Interval e = assay::exp(Interval(x));
      const Exact truth = boost::multiprecision::exp(Exact(x));
      REQUIRE(Exact(e.lo) <= truth);
      REQUIRE((std::isinf(e.hi) || truth <= Exact(e.hi)));
    }
  }
  for (const double x : {0x1p-1074, 0x1p-1030, 0x1p-1022, 0x1p-1000, 1.0, 0x1p1022,
                         std::numeric_limits<double>::max()}) {
    REQUIRE(encloses(assay::log(Interval(x)), boost::multiprecision::log(Exact(x))));
  }
}

TEST_CASE("ENCLOSE: + - * / sqrt contain the exact value of sampled points") {
  assay::Random random(11);
  for (int i = 0; i < 20000; ++i) {
    const double a = (random.unit() - 0.5) * 1e3;
    const double b = (random.unit() - 0.5) * 1e-3;
    const Interval x(a);
    const Interval y(b);
    REQUIRE(encloses(x + y, Exact(a) + Exact(b)));
    REQUIRE(encloses(x - y, Exact(a) - Exact(b)));
    REQUIRE(encloses(x * y, Exact(a) * Exact(b)));
    REQUIRE(encloses(x / y, Exact(a) / Exact(b)));
    REQUIRE(encloses(assay::sqrt(Interval(a * a)), boost::multiprecision::sqrt(Exact(a * a))));
  }
}

TEST_CASE("a NaN end is never valid and never contained") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_FALSE((Interval(nan) * Interval(0.0)).is_valid());
  REQUIRE_FALSE(assay::relu(Interval(nan)).is_valid());
  REQUIRE_FALSE(assay::exp(Interval(nan)).is_valid());
  REQUIRE_FALSE(assay::sqrt(Interval(-1.0)).is_valid());
  REQUIRE_FALSE((Interval(0.0) * Interval(std::numeric_limits<double>::infinity())).is_valid());
}

TEST_CASE("extremes stay enclosures") {
  REQUIRE(assay::exp(Interval(1000.0)).hi == std::numeric_limits<double>::infinity());
  REQUIRE(assay::exp(Interval(-1000.0)).lo == 0.0);
  REQUIRE(assay::exp(Interval(-1000.0)).hi > 0.0);
  REQUIRE((Interval(1.0) / Interval(-1.0, 1.0)).hi == std::numeric_limits<double>::infinity());
}
