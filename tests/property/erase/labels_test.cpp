#include <algorithm>
#include <array>

#include "../../unit/erase/rational_r2.hpp"
#include "../../unit/erase/synthetic.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;
using rational::Q;

namespace {

/// Few rows of integers, three classes as one-hot labels or two labels that may hold together.
GridRows small_rows(std::size_t n, std::size_t d, bool one_hot, std::uint64_t seed) {
  Random random(seed);
  GridRows rows{d, {}, {}, one_hot ? std::size_t{3} : std::size_t{2}};
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t label = random.below(one_hot ? 3 : 4);
    for (std::size_t c = 0; c < rows.labels; ++c) {
      rows.z.push_back(one_hot ? (c == label ? 1 : 0) : ((label >> c) & 1));
    }
    for (std::size_t j = 0; j < d; ++j) {
      const auto shift = static_cast<std::int32_t>(label * (j + 1) % 3 * 30);
      rows.y.push_back(static_cast<std::int32_t>(random.below(201)) - 100 + shift);
    }
  }
  return rows;
}

Q value(const Rational& r) {
  return Q(r.num) / r.den;
}

}  // namespace

TEST_CASE("with several labels no combination is predicted better than tau, and one nearly is") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const bool one_hot = seed % 2 == 0;
    const GridRows rows = small_rows(60, 2 + seed % 3, one_hot, seed);
    const Residual r = exact_residual(rows);
    INFO("seed " << seed);
    REQUIRE(r.labels == 2);
    REQUIRE(r.certifiable());
    REQUIRE(residual_below(rows, r.tau));
    Q best = 0;
    for (int step = 0; step < 180; ++step) {  // every direction of two labels, a degree apart
      const double angle = step * std::numbers::pi / 180;
      const std::vector<Q> weights = {Q(std::lround(1000 * std::cos(angle))),
                                      Q(std::lround(1000 * std::sin(angle)))};
      const Q r2 = rational::r_squared_of(rows, weights);
      REQUIRE(r2 < value(r.tau));
      best = std::max(best, r2);
    }
    REQUIRE(best.convert_to<double>() > r.r2 * 0.999);
    REQUIRE(best.convert_to<double>() < r.r2 * 1.000001);
    const Rational below = {static_cast<std::int64_t>(best.convert_to<double>() * 0.9999e9),
                            1000000000};
    REQUIRE_FALSE(residual_below(rows, below));
  }
}

TEST_CASE(
    "the order of rows and of labels, scaling a coordinate and adding to it change no residual") {
  const GridRows rows = small_rows(80, 3, false, 77);
  const Residual before = exact_residual(rows);
  GridRows other{3, {}, {}, 2};
  for (std::size_t i = rows.n(); i-- > 0;) {
    const std::int32_t* y = rows.y.data() + i * 3;
    other.y.insert(other.y.end(), {y[2] * 7 + 1000, y[0], y[1] - 5});
    other.z.insert(other.z.end(), {rows.z[2 * i + 1], rows.z[2 * i]});
  }
  const Residual after = exact_residual(other);
  REQUIRE(after.r2 == Approx(before.r2).epsilon(1e-9));
  REQUIRE(after.ones == std::vector<std::size_t>{before.ones[1], before.ones[0]});
  // Copies of coordinates say nothing new.
  GridRows doubled{5, {}, rows.z, 2};
  for (std::size_t i = 0; i < rows.n(); ++i) {
    const std::int32_t* y = rows.y.data() + i * 3;
    doubled.y.insert(doubled.y.end(), {y[0], y[0] + 9, y[1], 4, y[2]});
  }
  const Residual same = exact_residual(doubled);
  REQUIRE(same.kept == 3);
  REQUIRE(same.certifiable());
  REQUIRE(same.tau.text() == before.tau.text());
}

TEST_CASE("a wide residual is shown by dominance, and a tau below it is not") {
  constexpr std::size_t kWidth = 90;  // above what is eliminated exactly
  for (const std::uint64_t seed : {1U, 2U}) {
    const Rows data = rows({1500, kWidth, 0.3, 1.0, seed});
    Eraser eraser = fitted(data, 12);
    const GridRows erased = deploy_rows(eraser, data);
    const Residual r = exact_residual(erased);
    REQUIRE(r.numerator.empty());
    REQUIRE(r.certifiable());
    REQUIRE(residual_below(erased, r.tau));
    std::fill(eraser.proj_left.begin(), eraser.proj_left.end(), 0.0);
    const GridRows raw = deploy_rows(eraser, data);
    const double before = exact_residual(raw).r2;
    REQUIRE(before == Approx(canonical_r2(moments_of(data))).epsilon(1e-3));
    REQUIRE(before > 0.1);
    REQUIRE(exact_residual(raw).tau.num > 0);
    REQUIRE_FALSE(residual_below(raw, r.tau));
    REQUIRE_FALSE(
        residual_below(raw, {static_cast<std::int64_t>(before * 0.999 * 1e9), 1000000000}));
  }
}
