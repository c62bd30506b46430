#pragma once

#include <cmath>
#include <numbers>

#include "assay/base/random.hpp"
#include "assay/erase/probe.hpp"
#include "assay/erase/rows.hpp"

namespace assay::erase::synthetic {

inline double gauss(Random& random) {
  return std::sqrt(-2.0 * std::log(1.0 - random.unit())) *
         std::cos(2.0 * std::numbers::pi * random.unit());
}

/// Gaussian rows, coordinates mixed pairwise; the label shifts coordinate 0 by `shift`.
struct Recipe {
  std::size_t n = 4000, d = 12;
  double rate = 0.4, shift = 1.5;
  std::uint64_t seed = 1;
};

inline Rows rows(const Recipe& recipe) {
  Random random(recipe.seed);
  Rows out;
  out.d = recipe.d;
  for (std::size_t i = 0; i < recipe.n; ++i) {
    const bool one = random.unit() < recipe.rate;
    double last = 0.0;
    for (std::size_t j = 0; j < recipe.d; ++j) {
      double v = gauss(random) + 0.6 * last;
      last = v;
      v += j == 0 && one ? recipe.shift : 0.0;
      v += j == 1 && one ? -0.5 * recipe.shift : 0.0;
      out.x.push_back(static_cast<float>(v));
    }
    out.z.push_back(one ? 1 : 0);
    out.document.push_back(i / 50);
  }
  return out;
}

inline Eraser fitted(const Rows& rows, int bits = 16) {
  Eraser eraser = fit_leace(moments_of(rows)).eraser;
  eraser.hook = "blocks.0.hook_resid_mid";
  eraser.grid_bits = choose_grid_bits(eraser, rows.x, bits);
  return eraser;
}

inline ProbeData raw_data(const Rows& rows) {
  return {{rows.n(), rows.d, {rows.x.begin(), rows.x.end()}}, rows.z};
}

inline ProbeData erased_data(const Eraser& eraser, const Rows& rows) {
  const GridRows grid = deploy_rows(eraser, rows);
  ProbeData data{{rows.n(), rows.d, {}}, rows.z};
  for (const std::int32_t y : grid.y) {
    data.x.data.push_back(std::ldexp(static_cast<double>(y), -eraser.grid_bits));
  }
  return data;
}

}  // namespace assay::erase::synthetic
