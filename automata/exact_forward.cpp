#include "assay/automata/exact_forward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define ASSAY_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define ASSAY_CLONES
#endif

namespace assay::automata {
namespace {

constexpr std::size_t kPanel = 8;
constexpr std::size_t kRows = 4;
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));

/// rows (kRows at a time) x one panel of 8 columns: acc = b, then acc += x_i W_i for rising i.
template <std::size_t R>
__attribute__((always_inline)) inline void panel(const double* x, std::size_t x_stride,
                                                 std::size_t in, const double* weights,
                                                 const double* bias, double* y,
                                                 std::size_t y_stride) {
  Four low[R], high[R];
  for (std::size_t r = 0; r < R; ++r) {
    low[r] = *reinterpret_cast<const Four*>(bias);
    high[r] = *reinterpret_cast<const Four*>(bias + 4);
  }
  for (std::size_t i = 0; i < in; ++i) {
    const Four a = *reinterpret_cast<const Four*>(weights + i * kPanel);
    const Four b = *reinterpret_cast<const Four*>(weights + i * kPanel + 4);
    for (std::size_t r = 0; r < R; ++r) {
      const double v = x[r * x_stride + i];
      low[r] += v * a;
      high[r] += v * b;
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    std::memcpy(y + r * y_stride, &low[r], sizeof(Four));
    std::memcpy(y + r * y_stride + 4, &high[r], sizeof(Four));
  }
}

ASSAY_CLONES void multiply(const double* x, std::size_t x_stride, std::size_t rows, std::size_t in,
                           std::size_t padded, const double* panels, const double* bias,
                           double* y) {
  for (std::size_t p = 0; p < padded / kPanel; ++p) {
    const double* weights = panels + p * in * kPanel;
    std::size_t r = 0;
    for (; r + kRows <= rows; r += kRows) {
      panel<kRows>(x + r * x_stride, x_stride, in, weights, bias + p * kPanel,
                   y + r * padded + p * kPanel, padded);
    }
    for (; r < rows; ++r) {
      panel<1>(x + r * x_stride, x_stride, in, weights, bias + p * kPanel,
               y + r * padded + p * kPanel, padded);
    }
  }
}

ASSAY_CLONES void add_scaled(double factor, const double* v, std::size_t n, double* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] += factor * v[i];
  }
}

std::size_t round_to_panel(std::size_t n) {
  return (n + kPanel - 1) / kPanel * kPanel;
}

}  // namespace

ExactForward::Affine ExactForward::packed(const Tensor& weights, const Tensor& bias, std::size_t in,
                                          std::size_t out) {
  Affine map;
  map.in = in;
  map.out = out;
  map.padded = round_to_panel(out);
  map.panels.assign(in * map.padded, 0.0);
  map.bias.assign(map.padded, 0.0);
  for (std::size_t j = 0; j < out; ++j) {
    for (std::size_t i = 0; i < in; ++i) {
      map.panels[(j / kPanel * in + i) * kPanel + j % kPanel] =
          static_cast<double>(weights.data[i * out + j]);
    }
    map.bias[j] = bias.data.empty() ? 0.0 : static_cast<double>(bias.data[j]);
  }
  return map;
}

void ExactForward::apply(const Affine& map, const double* x, std::size_t x_stride, std::size_t rows,
                         double* y) {
  multiply(x, x_stride, rows, map.in, map.padded, map.panels.data(), map.bias.data(), y);
}

// m = x_c + b_O + Σ_h ( Σ_j e_hj v_h(u_j) W_O[h] ) / Σ_j e_hj
void ExactForward::attend(WindowCode window, double* mid) const {
  std::array<std::uint32_t, 64> back{};  // (V+1)^window < 2^64, so at most 63 tokens
  const std::size_t n = codes_.back(window, back.data());
  std::copy_n(base_.data() + back[0] * width_, width_, mid);
  std::array<double, 64> e{};
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* row = weight_.data() + (h * vocabulary_ + back[0]) * vocabulary_;
    double total = 0;
    for (std::size_t j = 0; j < n; ++j) {
      e[j] = row[back[j]] * nearness_[h * codes_.window() + j];
      total += e[j];
    }
    const double scale = 1 / total;
    for (std::size_t j = 0; j < n; ++j) {
      add_scaled(e[j] * scale, value_.data() + (back[j] * heads_ + h) * width_, width_, mid);
    }
  }
}

ExactForward::Scratch ExactForward::make_scratch() const {
  Scratch s;
  s.mid.resize(kBatch * round_to_panel(width_));
  s.post.resize(kBatch * round_to_panel(neurons_));
  s.out.resize(kBatch * round_to_panel(width_));
  s.resid.resize(kBatch * round_to_panel(width_));
  s.logits.resize(kBatch * unembed_.padded);
  s.probes.resize(kBatch * probes_.size());
  return s;
}

void ExactForward::evaluate(std::span<const WindowCode> windows, Scratch& s) const {
  require(windows.size() <= kBatch, "ExactForward: too many windows for one call");
  const std::size_t rows = windows.size(), stride = round_to_panel(width_);
  for (std::size_t r = 0; r < rows; ++r) {
    attend(windows[r], s.mid.data() + r * stride);
  }
  std::copy_n(s.mid.data(), rows * stride, s.resid.data());
  if (neurons_ > 0) {
    apply(in_, s.mid.data(), stride, rows, s.post.data());
    for (std::size_t i = 0; i < rows * in_.padded; ++i) {
      s.post[i] = s.post[i] < 0 ? 0 : s.post[i];
    }
    apply(out_, s.post.data(), in_.padded, rows, s.out.data());
    for (std::size_t i = 0; i < rows * stride; ++i) {
      s.resid[i] += s.out[i];
    }
  }
  apply(unembed_, s.resid.data(), stride, rows, s.logits.data());
  const std::array<const double*, 4> sites = {s.mid.data(), s.post.data(), s.out.data(),
                                              s.resid.data()};
  for (std::size_t p = 0; p < probes_.size(); ++p) {
    const std::size_t step = probe_site_[p] == 1 ? in_.padded : stride;
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = (probes_[p].bias.lo + probes_[p].bias.hi) / 2;
      const double* x = sites[probe_site_[p]] + r * step;
      for (std::size_t i = 0; i < probes_[p].weights.size(); ++i) {
        sum += x[i] * probes_[p].weights[i];
      }
      s.probes[r * probes_.size() + p] = sum;
    }
  }
}

}  // namespace assay::automata
