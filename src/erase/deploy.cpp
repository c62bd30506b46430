#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/text.hpp"
#include "assay/erase/leace.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kTogether = 4;  ///< rows whose sums go on at the same time

/// c_r = R (x_r - mu) of `count` rows, c [count,rank], in the deployed order: sums from index 0 up.
template <std::size_t count>
void push(const Eraser& e, const double* x, std::vector<double>& c) {
  const std::size_t d = e.d();
  c.resize(count * e.rank);
  for (std::size_t k = 0; k < e.rank; ++k) {
    const double* right = e.proj_right.data() + k * d;
    double sums[count] = {};
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t r = 0; r < count; ++r) {
        sums[r] += right[j] * (x[r * d + j] - e.bias[j]);
      }
    }
    for (std::size_t r = 0; r < count; ++r) {
      c[r * e.rank + k] = sums[r];
    }
  }
}

/// v = x - L c.
void pull(const Eraser& e, std::span<const double> x, const double* c, std::vector<double>& v) {
  v.assign(x.begin(), x.end());
  if (e.rank == 1) {  // 0.0 + l c is l c, but for the sign of a zero
    for (std::size_t i = 0; i < x.size(); ++i) {
      v[i] -= e.proj_left[i] * c[0];
    }
    return;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double* left = e.proj_left.data() + i * e.rank;
    double sum = 0.0;
    for (std::size_t k = 0; k < e.rank; ++k) {
      sum += left[k] * c[k];
    }
    v[i] -= sum;
  }
}

/// v on the grid.
void round_to_grid(const Eraser& e, std::span<const double> v, std::span<std::int32_t> y) {
  const double scale = std::ldexp(1.0, e.grid_bits);  // a product with it is exact
  bool within = true;
  for (std::size_t i = 0; i < v.size(); ++i) {
    // Ties to even where |v| < 2^51 / scale, for the rounding mode is never changed here; any other
    // v leaves the grid either way.
    const double rounded = (v[i] * scale + 0x1.8p52) - 0x1.8p52;
    const bool fits = std::fabs(rounded) < static_cast<double>(kMaxGridValue);
    within &= fits;
    y[i] = static_cast<std::int32_t>(fits ? rounded : 0.0);
  }
  for (std::size_t i = 0; !within && i < v.size(); ++i) {
    if (!(std::fabs(v[i] * scale) < static_cast<double>(kMaxGridValue) - 0.5)) {
      throw Refusal("output " + std::to_string(i) + " of a row, " + decimal(v[i]) +
                    ", leaves the grid of " + std::to_string(e.grid_bits) +
                    " bits (|Y| < 2^24); take fewer grid bits");
    }
  }
}

}  // namespace

void deploy(const Eraser& eraser, std::span<const double> x, std::span<std::int32_t> y) {
  require(x.size() == eraser.d() && y.size() == eraser.d(), "deploy: a row of another width");
  thread_local std::vector<double> c, v;
  push<1>(eraser, x.data(), c);
  pull(eraser, x, c.data(), v);
  round_to_grid(eraser, v, y);
}

void deploy_block(const Eraser& eraser, std::span<const double> x, std::span<std::int32_t> y) {
  const std::size_t d = eraser.d();
  require(x.size() % d == 0 && y.size() == x.size(), "deploy_block: rows of another width");
  thread_local std::vector<double> c, v;
  std::size_t at = 0;
  for (; at + kTogether * d <= x.size(); at += kTogether * d) {
    push<kTogether>(eraser, x.data() + at, c);
    for (std::size_t r = 0; r < kTogether; ++r) {
      pull(eraser, x.subspan(at + r * d, d), c.data() + r * eraser.rank, v);
      round_to_grid(eraser, v, y.subspan(at + r * d, d));
    }
  }
  for (; at < x.size(); at += d) {
    deploy(eraser, x.subspan(at, d), y.subspan(at, d));
  }
}

void deploy(const Eraser& eraser, std::span<const float> x, std::span<std::int32_t> y) {
  const std::vector<double> wide(x.begin(), x.end());
  deploy(eraser, wide, y);
}

double reach(const Eraser& eraser, std::span<const double> x) {
  require(x.size() == eraser.d(), "reach: a row of another width");
  thread_local std::vector<double> c, v;
  push<1>(eraser, x.data(), c);
  pull(eraser, x, c.data(), v);
  double largest = 0.0;
  for (const double value : v) {
    largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

int choose_grid_bits(double largest, int wanted) {
  require(wanted >= 0 && wanted <= kMaxGridBits, "choose_grid_bits: bits outside 0 … 24");
  int bits = wanted;
  while (bits >= 0 && !(std::ldexp(largest, bits) + 1.0 < 0x1p23)) {
    --bits;
  }
  if (bits < kMinGridBits) {
    throw Refusal("outputs as large as " + decimal(largest) + " need a grid coarser than 2^-" +
                  std::to_string(kMinGridBits));
  }
  return bits;
}

int choose_grid_bits(const Eraser& eraser, std::span<const float> x, int wanted) {
  double largest = 0.0;
  for (std::size_t at = 0; at + eraser.d() <= x.size(); at += eraser.d()) {
    const auto row = x.subspan(at, eraser.d());
    largest = std::max(largest, reach(eraser, std::vector<double>(row.begin(), row.end())));
  }
  return choose_grid_bits(largest, wanted);
}

Readout compose(const Readout& after, const Eraser& eraser) {
  const std::size_t d = eraser.d();
  require(after.weights.size() == d, "compose: a readout of another width");
  Readout raw{eraser.hook, after.weights, after.bias, {}};
  for (std::size_t k = 0; k < eraser.rank; ++k) {
    const std::span<const double> right = std::span(eraser.proj_right).subspan(k * d, d);
    double wl = 0.0;
    for (std::size_t i = 0; i < d; ++i) {
      wl += after.weights[i] * eraser.proj_left[i * eraser.rank + k];
    }
    raw.bias += wl * std::inner_product(right.begin(), right.end(), eraser.bias.begin(), 0.0);
    for (std::size_t j = 0; j < d; ++j) {
      raw.weights[j] -= wl * right[j];
    }
  }
  return raw;
}

}  // namespace assay::erase
