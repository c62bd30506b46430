#include "catch.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

/// Rows of three classes, one-hot, and a second label y that moves coordinate 2.
struct Classes {
  std::size_t n = 3000, d = 6;
  std::vector<double> x, z, zy;
  std::vector<std::uint8_t> hot;

  explicit Classes(std::uint64_t seed) {
    Random random(seed);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t label = random.below(3);
      const double y = random.unit() < 0.5 ? 1.0 : 0.0;
      double last = 0.0;
      for (std::size_t j = 0; j < d; ++j) {
        last = gauss(random) + 0.5 * last;
        x.push_back(last + (j == label ? 1.5 : 0.0) + (j == 2 ? y : 0.0));
      }
      for (std::size_t c = 0; c < 3; ++c) {
        hot.push_back(c == label ? 1 : 0);
        z.push_back(c == label ? 1.0 : 0.0);
        zy.push_back(z.back());
      }
      zy.push_back(y);
    }
  }
  [[nodiscard]] Moments moments(bool with_y) const {
    Moments m(d, with_y ? 4 : 3);
    m.add_block(x, with_y ? zy : z);
    return m;
  }
  [[nodiscard]] GridRows deployed(Eraser eraser) const {
    eraser.grid_bits = 16;
    GridRows rows{d, std::vector<std::int32_t>(n * d), hot, 3};
    for (std::size_t i = 0; i < n; ++i) {
      deploy(eraser, std::span(x).subspan(i * d, d), std::span(rows.y).subspan(i * d, d));
    }
    return rows;
  }
};

/// Cov(r(x), label c), from the moments.
double left_over(const Moments& m, const Eraser& e, std::size_t i, std::size_t c) {
  double value = m.xz(i, c);
  for (std::size_t k = 0; k < e.rank; ++k) {
    for (std::size_t j = 0; j < e.d(); ++j) {
      value -= e.proj_left[i * e.rank + k] * e.proj_right[k * e.d() + j] * m.xz(j, c);
    }
  }
  return value;
}

}  // namespace

TEST_CASE("every method leaves three classes no covariance, at rank two") {
  const Classes data(5);
  for (const Method method : {Method::leace, Method::orth, Method::mean, Method::splince}) {
    const bool keeps = method == Method::splince;
    const Moments m = data.moments(keeps);
    const LeaceFit fit = fit_eraser(m, method, keeps ? 1 : 0);
    INFO(name_of(method));
    REQUIRE(method_of(name_of(method)) == method);
    REQUIRE(fit.eraser.rank == 2);
    REQUIRE(fit.above_floor == 2);
    REQUIRE(fit.operator_norm >= 1.0 - 1e-12);
    for (std::size_t i = 0; i < data.d; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        REQUIRE(std::fabs(left_over(m, fit.eraser, i, c)) < 1e-12);
      }
      if (keeps) {
        REQUIRE(left_over(m, fit.eraser, i, 3) == Approx(m.xz(i, 3)).margin(1e-12));
      }
    }
  }
}

TEST_CASE(
    "LEACE moves the rows least; the deployed residual is shown small and the raw one is not") {
  const Classes data(6);
  const Moments m = data.moments(false);
  const LeaceFit leace = fit_eraser(m, Method::leace), orth = fit_eraser(m, Method::orth);
  REQUIRE(leace.mean_square_change < orth.mean_square_change);
  const GridRows erased = data.deployed(leace.eraser);
  REQUIRE(independent_labels(erased) == 2);
  const Residual after = exact_residual(erased);
  REQUIRE(after.certifiable());
  REQUIRE(after.r2 < after.noise_floor());  // rounding noise alone is left along the erased
  REQUIRE(residual_below(erased, after.tau));
  Eraser nothing = leace.eraser;
  std::fill(nothing.proj_left.begin(), nothing.proj_left.end(), 0.0);
  const GridRows raw = data.deployed(nothing);
  const Residual before = exact_residual(raw);
  REQUIRE(before.r2 == Approx(leace.canonical_r2).epsilon(1e-3));
  REQUIRE_FALSE(residual_below(raw, after.tau));
  REQUIRE_FALSE(
      residual_below(raw, {static_cast<std::int64_t>(before.r2 * 0.999 * 1e9), 1000000000}));
}

TEST_CASE("a direction that is kept and erased at once, and an empty class, are refused") {
  const Classes data(7);
  Moments twice(data.d, 4);
  std::vector<double> labels;
  for (std::size_t i = 0; i < data.n; ++i) {
    const double* z = data.z.data() + i * 3;
    labels.insert(labels.end(), {z[0], z[1], z[2], z[0]});
  }
  twice.add_block(data.x, labels);
  REQUIRE_THROWS_AS(fit_eraser(twice, Method::splince, 1), Refusal);
  Moments empty(data.d, 2);
  std::vector<double> none;
  for (std::size_t i = 0; i < data.n; ++i) {
    none.insert(none.end(), {data.z[i * 3], 0.0});
  }
  empty.add_block(data.x, none);
  REQUIRE_THROWS_AS(fit_eraser(empty, Method::leace), Refusal);
  REQUIRE_THROWS_AS(method_of("inlp"), UsageError);
}
