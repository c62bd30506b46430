#include "assay/erase/residual.hpp"
#include "catch.hpp"
#include "rational_r2.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using Q = rational::Q;

namespace {

GridRows random_rows(std::size_t n, std::size_t d, std::int64_t size, std::uint64_t seed) {
  Random random(seed);
  GridRows rows{d, {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    rows.z.push_back(random.unit() < 0.4 ? 1 : 0);
    for (std::size_t j = 0; j < d; ++j) {
      rows.y.push_back(static_cast<std::int32_t>(
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * size + 1))) - size +
          (j == 0 ? rows.z.back() * size / 4 : 0)));
    }
  }
  return rows;
}

Q naive_r2(const GridRows& rows) {
  return rational::r_squared_of(rows, {1});
}

}  // namespace

TEST_CASE("the exact residual equals its definition in rationals") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const GridRows rows = random_rows(40 + 7 * seed, 1 + seed % 4, 1000, seed);
    const Residual r = exact_residual(rows);
    REQUIRE(Q(r.numerator + "/" + r.denominator) == naive_r2(rows));
    REQUIRE(r.rank == rows.d);
    REQUIRE(r.r2 == Approx(naive_r2(rows).convert_to<double>()));
    REQUIRE(Q(r.tau.num) / r.tau.den > naive_r2(rows));
    REQUIRE(Q(r.tau.num) / r.tau.den - naive_r2(rows) <= Q(1, 1000000000));
  }
}

TEST_CASE("extreme grid values do not overflow") {
  const GridRows rows = random_rows(20000, 3, (1 << 24) - 1 - (1 << 22), 3);
  const Residual r = exact_residual(rows);
  REQUIRE(r.rank == 3);
  REQUIRE(r.r2 > 0.01);
  REQUIRE(r.r2 < 0.5);
}

TEST_CASE("the claimed tau passes the certificate's test and the next smaller one does not") {
  const GridRows rows = random_rows(300, 5, 5000, 9);
  const Residual r = exact_residual(rows);
  REQUIRE(r.certifiable());
  REQUIRE(residual_below(rows, r.tau));
  const Rational below{r.tau.num * (1000000000 / r.tau.den) - 1, 1000000000};
  REQUIRE_FALSE(residual_below(rows, below));
  REQUIRE_FALSE(residual_below(rows, {0, 1}));
}

TEST_CASE("dependent or constant coordinates: a value, but nothing to certify") {
  GridRows rows = random_rows(200, 4, 1000, 11);
  const Q before = naive_r2(rows);
  GridRows wide{6, {}, rows.z};
  for (std::size_t i = 0; i < rows.n(); ++i) {
    const std::int32_t* y = rows.y.data() + i * 4;
    wide.y.insert(wide.y.end(), {y[0], y[1], y[0] - y[1], y[2], 77, y[3]});
  }
  const Residual r = exact_residual(wide);
  REQUIRE(r.rank == 4);
  REQUIRE_FALSE(r.certifiable());
  REQUIRE_FALSE(residual_below(wide, {1, 2}));
  REQUIRE(Q(r.numerator + "/" + r.denominator) == before);
}

TEST_CASE("a constant label is refused; a perfect predictor is not certifiable") {
  GridRows rows = random_rows(50, 2, 10, 1);
  rows.z.assign(50, 1);
  REQUIRE_THROWS_AS(exact_residual(rows), Refusal);
  GridRows perfect{1, {1, 2, 1, 2, 1, 2}, {0, 1, 0, 1, 0, 1}};
  const Residual r = exact_residual(perfect);
  REQUIRE(r.numerator == "1");
  REQUIRE_FALSE(r.certifiable());
  REQUIRE(r.distinct_rows == 2);
}
