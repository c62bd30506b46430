#include "assay/erase/leace.hpp"

#include "catch.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

double r2_after(const Rows& rows, const Eraser& eraser) {
  return exact_residual(deploy_rows(eraser, rows)).r2;
}

}  // namespace

TEST_CASE("R L = 1 and the fit data keep no covariance with the label") {
  const Rows data = rows({});
  const LeaceFit fit = fit_leace(moments_of(data));
  double rl = 0.0;
  for (std::size_t i = 0; i < data.d; ++i) {
    rl += fit.eraser.proj_right[i] * fit.eraser.proj_left[i];
  }
  REQUIRE(std::fabs(rl - 1.0) < 1e-14);
  REQUIRE(fit.rank == data.d);
  REQUIRE(fit.operator_norm >= 1.0);
  REQUIRE(fit.canonical_r2 > 0.2);
  REQUIRE(fit.canonical_r2 == Approx(canonical_r2(moments_of(data))));
  REQUIRE(r2_after(data, fitted(data)) < 2e-3);
}

TEST_CASE("a rare concept is erased, not passed over") {
  const Recipe recipe{30000, 8, 0.003, 2.5, 3};
  const Rows data = rows(recipe);
  const LeaceFit fit = fit_leace(moments_of(data));
  REQUIRE(fit.canonical_r2 > fit.floor_r2);
  REQUIRE(r2_after(data, fitted(data)) < 1e-3);
}

TEST_CASE("one coordinate a hundred times larger does not mask the others") {
  Rows data = rows({4000, 12, 0.4, 1.5, 4});
  for (std::size_t i = 0; i < data.n(); ++i) {
    data.x[i * data.d + 5] *= 100.0F;
  }
  const LeaceFit fit = fit_leace(moments_of(data));
  REQUIRE(fit.masked == 0);
  REQUIRE(r2_after(data, fitted(data)) < 2e-3);
}

TEST_CASE("constant and duplicate coordinates are masked without losing the erasure") {
  const Rows plain = rows({});
  Rows data;
  data.d = plain.d + 2;
  data.z = plain.z;
  data.document = plain.document;
  for (std::size_t i = 0; i < plain.n(); ++i) {
    const auto row = plain.row(i);
    data.x.insert(data.x.end(), row.begin(), row.end());
    data.x.push_back(3.25F);
    data.x.push_back(row[0]);
  }
  const LeaceFit fit = fit_leace(moments_of(data));
  REQUIRE(fit.masked == 2);
  REQUIRE(fit.masked_sigma < 1e-3);
  const Eraser eraser = fitted(data);
  REQUIRE(eraser.proj_left[plain.d] == 0.0);
  const Residual residual = exact_residual(deploy_rows(eraser, data));
  REQUIRE(residual.r2 < 5e-3);
  REQUIRE(residual.kept == plain.d);  // neither says anything that the rest does not
  REQUIRE(residual.certifiable());
}

TEST_CASE("there is a reason for every refusal") {
  using Catch::Matchers::Contains;
  Rows none = rows({4000, 12, 0.4, 0.0, 5});
  REQUIRE_THROWS_WITH(fit_leace(moments_of(none)), Contains("confidence floor"));
  Rows constant = rows({});
  constant.z.assign(constant.n(), 0);
  REQUIRE_THROWS_WITH(fit_leace(moments_of(constant)), Contains("constant"));
  REQUIRE_THROWS_WITH(fit_leace(moments_of(rows({40, 12, 0.4, 3.0, 6}))), Contains("too few rows"));
  REQUIRE_THROWS_AS(fit_leace(moments_of(none)), Refusal);
}

TEST_CASE("deployment follows the documented order and refuses to leave the grid") {
  const Eraser eraser{"blocks.0.hook_resid_mid", 4, {0.5, -1.0}, {1.0, 0.5}, {0.25, 0.0}};
  const float x[2] = {1.0F, 2.0F};
  std::int32_t y[2];
  deploy(eraser, x, y);
  const double c = (0.0 + 1.0 * (1.0 - 0.25)) + 0.5 * (2.0 - 0.0);
  REQUIRE(y[0] == std::nearbyint((1.0 - 0.5 * c) * 16));
  REQUIRE(y[1] == std::nearbyint((2.0 + 1.0 * c) * 16));
  const Eraser identity{"h", 0, {0.0}, {0.0}, {0.0}};
  std::int32_t one[1];
  const float half[1] = {2.5F};
  deploy(identity, half, one);
  REQUIRE(one[0] == 2);  // ties to even
  const float far[1] = {0x1p24F};
  REQUIRE_THROWS_AS(deploy(identity, far, one), Refusal);
  const float edge[1] = {0x1p24F - 1.0F};
  deploy(identity, edge, one);
  REQUIRE(one[0] == (1 << 24) - 1);
}

TEST_CASE("the grid grows coarser with the outputs, and is refused when too coarse") {
  const Eraser identity{"h", 16, {0.0}, {0.0}, {0.0}};
  const float small[1] = {3.0F};
  REQUIRE(choose_grid_bits(identity, small, 16) == 16);
  const float large[1] = {300.0F};
  REQUIRE(choose_grid_bits(identity, large, 16) == 14);
  const float huge[1] = {1e6F};
  REQUIRE_THROWS_AS(choose_grid_bits(identity, huge, 16), Refusal);
}

TEST_CASE("a readout of the erased site composes to one of the raw site") {
  const Rows data = rows({});
  Eraser eraser = fitted(data);
  const Readout after{eraser.hook, std::vector<double>(data.d, 0.3), -0.7, {}};
  const Readout raw = compose(after, eraser);
  const GridRows grid = deploy_rows(eraser, data);
  for (std::size_t i = 0; i < 50; ++i) {
    double on_raw = raw.bias;
    double on_erased = after.bias;
    for (std::size_t j = 0; j < data.d; ++j) {
      on_raw += raw.weights[j] * static_cast<double>(data.row(i)[j]);
      on_erased += after.weights[j] * std::ldexp(grid.y[i * data.d + j], -eraser.grid_bits);
    }
    REQUIRE(on_raw == Approx(on_erased).margin(1e-3));
  }
}

TEST_CASE("where no direction and no label varies nothing is explained, and nothing is fitted") {
  const std::vector<double> flat(40, 2.5),
      z = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  REQUIRE(canonical_r2(Moments(2, 1, flat, z)) == 0.0);
  std::vector<double> rows;
  for (std::size_t i = 0; i < 40; ++i) {
    rows.push_back(static_cast<double>(i * i % 7));
  }
  REQUIRE(canonical_r2(Moments(2, 1, rows, std::vector<double>(20, 1.0))) == 0.0);
  REQUIRE_THROWS_AS(fit_leace(Moments(2, 1, flat, z)), Refusal);
}
