#include "../../unit/erase/rational_r2.hpp"
#include "../../unit/erase/table_files.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

TensorFit fit_of(const TableFolder& folder, const Planted& rows,
                 const TensorFitOptions& options = {}) {
  return fit_tensors({{folder.write("fit.safetensors", rows.file()), {}}}, options);
}

Residual certified(const TableFolder& folder, const TensorFit& fit, const Planted& rows) {
  const auto path = folder.write("rows.safetensors", rows.file());
  return certify_tensors(loaded(fit), read_tables(path, {})).claim.residual;
}

/// Rows of the recipe with column j replaced by change(row, that column's value).
template <class Change>
Planted changed(const Recipe& recipe, std::size_t j, Change change) {
  Planted rows = planted(recipe);
  for (std::size_t i = 0; i < rows.n; ++i) {
    double* const row = rows.x.data() + i * rows.d;
    row[j] = change(row, row[j]);
  }
  return rows;
}

/// Erased and shown, or refused: never an eraser that leaves the concept.
void erased_or_refused(const TableFolder& folder, const Planted& rows, bool must_erase) {
  try {
    const TensorFit fit = fit_of(folder, rows);
    REQUIRE(fit.fit.eraser.rank == 1);
    const Residual r = certified(folder, fit, rows);
    REQUIRE(r.certifiable());
    REQUIRE(fit.fit.canonical_r2 > fit.fit.floor_r2);
    REQUIRE(r.r2 < r.noise_floor());
    REQUIRE(r.r2 < 0.1 * fit.fit.canonical_r2);
  } catch (const Refusal& refusal) {
    INFO(refusal.what());
    REQUIRE_FALSE(must_erase);
  }
}

}  // namespace

TEST_CASE("a planted concept is erased on rows of the fit and nearly so on others") {
  const TableFolder folder("planted");
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Planted rows = planted({4000, 8, 0.3, 1.5, seed}),
                  others = planted({4000, 8, 0.3, 1.5, seed + 50});
    const TensorFit fit = fit_of(folder, rows);
    const Residual own = certified(folder, fit, rows), other = certified(folder, fit, others);
    REQUIRE(fit.fit.canonical_r2 > 0.2);
    REQUIRE(own.r2 < own.noise_floor());
    REQUIRE(other.r2 < 8 * other.noise_floor());
    REQUIRE(other.tau.text() != own.tau.text());
  }
}

TEST_CASE(
    "a concept of 3 rows in a thousand is erased, and refused where the rows do not show it") {
  const TableFolder folder("rare");
  erased_or_refused(folder, planted({30000, 12, 0.003, 2.0, 5}), true);
  REQUIRE_THROWS_AS(fit_of(folder, planted({3000, 12, 0.003, 2.0, 5})), Refusal);  // nine of them
  REQUIRE_THROWS_AS(fit_of(folder, planted({30000, 12, 0.003, 0.05, 5})),
                    Refusal);  // no shift to see
}

TEST_CASE("an outlier coordinate, a copy, a constant and a dependent one do not hide the concept") {
  const TableFolder folder("outlier");
  const Recipe recipe{6000, 10, 0.4, 1.5, 7};
  for (const double scale : {100.0, 1e4}) {
    erased_or_refused(folder,
                      changed(recipe, 4, [&](const double*, double v) { return v * scale; }), true);
    erased_or_refused(folder,
                      changed(recipe, 0, [&](const double*, double v) { return v * scale; }), true);
  }
  erased_or_refused(folder, changed(recipe, 4, [](const double* row, double) { return row[3]; }),
                    true);
  erased_or_refused(folder, changed(recipe, 4, [](const double* row, double) { return row[0]; }),
                    true);
  erased_or_refused(folder, changed(recipe, 4, [](const double*, double) { return 3.25; }), true);
  erased_or_refused(
      folder, changed(recipe, 4, [](const double* row, double) { return 2 * row[3] - row[0]; }),
      false);
  erased_or_refused(folder, changed(recipe, 0, [](const double*, double v) { return v * 1e-9; }),
                    false);
}

TEST_CASE("classes of equal means, an empty class and one label alone are refused") {
  const TableFolder folder("refused");
  Planted rows = planted({4000, 6, 0.5, 0.0, 11});  // equal means; class 1 twice as wide
  for (std::size_t i = 0; i < rows.n; ++i) {
    rows.x[i * rows.d] *= rows.z[i] == 1 ? 2.0 : 1.0;
  }
  REQUIRE_THROWS_AS(fit_of(folder, rows), Refusal);
  rows.z.assign(rows.n, 1);
  REQUIRE_THROWS_AS(fit_of(folder, rows), Refusal);
  rows.z.assign(rows.n, 0);
  REQUIRE_THROWS_AS(fit_of(folder, rows), Refusal);
}

TEST_CASE("an eraser does not depend on where its rows are cut into files") {
  const TableFolder folder("shards");
  const Planted rows = planted({3000, 7, 0.4, 1.0, 13});
  const TensorFit whole = fit_of(folder, rows);
  Random random(17);
  for (int round = 0; round < 6; ++round) {
    std::vector<Shard> shards;
    std::size_t from = 0;
    while (from < rows.n) {
      const std::size_t to = std::min(rows.n, from + 1 + random.below(1200));
      shards.push_back(
          {folder.write("part" + std::to_string(shards.size()), rows.file(from, to)), {}});
      from = to;
    }
    const TensorFit cut = fit_tensors(shards, {});
    REQUIRE(cut.n == rows.n);
    REQUIRE(eraser_tensors(cut.fit.eraser) == eraser_tensors(whole.fit.eraser));
    REQUIRE(cut.origin.activations.size() == shards.size());
  }
}

TEST_CASE("deployed outputs are float32 on the grid, and the residual that of the definition") {
  const TableFolder folder("grid");
  const Planted rows = planted({400, 3, 0.4, 1.0, 19});
  TensorFitOptions options;
  options.grid_bits = 10;
  const TensorFit fit = fit_of(folder, rows, options);
  REQUIRE(fit.fit.eraser.grid_bits == 10);
  const Tables tables = read_tables(folder / "fit.safetensors", {});
  GridRows grid{rows.d, deploy_table(fit.fit.eraser, tables.x), {}};
  std::vector<rational::Q> z;
  for (std::size_t i = 0; i < rows.n; ++i) {
    z.push_back(rows.z[i]);
    grid.z.push_back(rows.z[i] == 1 ? 1 : 0);
    for (std::size_t j = 0; j < rows.d; ++j) {
      const double value = std::ldexp(grid.y[i * rows.d + j], -10);
      REQUIRE(static_cast<double>(static_cast<float>(value)) == value);
    }
  }
  const Residual r = certify_tensors(loaded(fit), tables).claim.residual;
  REQUIRE(rational::Q(r.numerator + "/" + r.denominator) == rational::r_squared(grid, z));
}
