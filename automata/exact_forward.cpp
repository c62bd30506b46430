#include "assay/automata/exact_forward.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"
#include "clones.hpp"

namespace assay::automata {
namespace {

ASSAY_CLONES void add_scaled(double factor, const double* v, std::size_t n, double* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] += factor * v[i];
  }
}

constexpr auto round_to_panel = AffinePanels::round_to_panel;

}  // namespace

// m = x_c + b_O + Σ_h ( Σ_j e_hj v_h(u_j) W_O[h] ) / Σ_j e_hj
void ExactForward::attend(WindowCode window, double* mid) const {
  std::array<std::uint32_t, 64> back{};  // (V+1)^window < 2^64, so at most 63 tokens
  const std::size_t n = codes_.back(window, back.data());
  std::copy_n(tables_.base.data() + back[0] * width_, width_, mid);
  std::array<double, 64> e{};
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* row = tables_.weight.data() + (h * vocabulary_ + back[0]) * vocabulary_;
    double total = 0;
    for (std::size_t j = 0; j < n; ++j) {
      e[j] = row[back[j]] * tables_.nearness[h * codes_.window() + j];
      total += e[j];
    }
    const double scale = 1 / total;
    for (std::size_t j = 0; j < n; ++j) {
      add_scaled(e[j] * scale, tables_.value.data() + (back[j] * heads_ + h) * width_, width_, mid);
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
    in_.apply(s.mid.data(), stride, rows, s.post.data());
    for (std::size_t i = 0; i < rows * in_.padded; ++i) {
      s.post[i] = s.post[i] < 0 ? 0 : s.post[i];
    }
    out_.apply(s.post.data(), in_.padded, rows, s.out.data());
    for (std::size_t i = 0; i < rows * stride; ++i) {
      s.resid[i] += s.out[i];
    }
  }
  unembed_.apply(s.resid.data(), stride, rows, s.logits.data());
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
