#include "../../unit/erase/synthetic.hpp"
#include "assay/erase/erasure.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

TEST_CASE("two shards merged equal one pass up to rounding") {
  Random random(3);
  for (std::uint64_t round = 0; round < 20; ++round) {
    const Rows data = rows({200 + 37 * static_cast<std::size_t>(round), 5, 0.3, 1.0, 100 + round});
    const std::size_t cut = random.below(data.n() + 1);
    Moments whole(5);
    Moments left(5);
    Moments right(5);
    for (std::size_t i = 0; i < data.n(); ++i) {
      whole.add(data.row(i), data.z[i]);
      (i < cut ? left : right).add(data.row(i), data.z[i]);
    }
    left.merge(right);
    REQUIRE(left.n() == whole.n());
    REQUIRE(left.positive() == whole.positive());
    for (std::size_t i = 0; i < 5; ++i) {
      REQUIRE(left.mean()[i] == Approx(whole.mean()[i]).epsilon(1e-12).margin(1e-13));
      REQUIRE(left.xz(i) == Approx(whole.xz(i)).epsilon(1e-12).margin(1e-13));
      for (std::size_t j = 0; j < 5; ++j) {
        REQUIRE(left.xx(i, j) == Approx(whole.xx(i, j)).epsilon(1e-12).margin(1e-13));
      }
    }
  }
}

TEST_CASE("for random concepts the deployed residual on the fit rows is near its noise floor") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::size_t d = 3 + seed;
    const Rows data = rows({3000, d, 0.1 + 0.05 * static_cast<double>(seed), 1.5, 200 + seed});
    const Eraser eraser = fitted(data);
    const Residual r = exact_residual(deploy_rows(eraser, data));
    REQUIRE(canonical_r2(moments_of(data)) > 0.05);
    REQUIRE(r.r2 < 10 * r.noise_floor());
    REQUIRE(r.certifiable());
    REQUIRE(residual_below(deploy_rows(eraser, data), r.tau));
    REQUIRE(data_file(data) == data_file(data));
    REQUIRE(eraser_tensors(eraser) == eraser_tensors(fitted(data)));
  }
}

TEST_CASE("merging into and from an empty shard changes nothing") {
  const Rows data = rows({100, 3, 0.5, 1.0, 9});
  Moments full = moments_of(data);
  const Moments before = full;
  full.merge(Moments(3));
  REQUIRE(full.xx(1, 2) == before.xx(1, 2));
  Moments empty(3);
  empty.merge(before);
  REQUIRE(empty.xz(0) == before.xz(0));
}
