// FAST-FOLD: the tables of SuffixBounds and the error of its arithmetic, bounded once a model.
#include "suffix_tables.hpp"

#include <algorithm>
#include <cmath>

#include "forward_error.hpp"

namespace assay::automata {
namespace {

using forward_error::enlarge;
using forward_error::kInfinity;
using forward_error::reach;
using forward_error::sum_error;
using forward_error::with_rounding;

double exact(const Tensor& t, std::size_t i) {
  return t.data.empty() ? 0.0 : static_cast<double>(t.data[i]);
}

bool all_finite(const std::vector<double>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

SuffixBounds::Tables::Tables(const Transformer& m, std::size_t known)
    : model(m),
      forward(m, {}),
      V(m.config.d_vocab),
      d(m.config.d_model),
      f(m.config.attn_only ? 0 : m.config.d_mlp),
      H(m.config.n_heads),
      window(m.config.attention_window),
      far(window > known ? window - known : 0),
      padded_d(AffinePanels::round_to_panel(d)),
      padded_f(AffinePanels::round_to_panel(f)),
      padded_V(AffinePanels::round_to_panel(V)),
      directions(f + V),
      blocks((directions + kBlock - 1) / kBlock) {
  for (std::size_t h = 0; h < H; ++h) {
    seen.emplace_back(d, V);
    for (std::size_t u = 0; u < V; ++u) {
      for (std::size_t i = 0; i < d; ++i) {
        seen.back().at(i, u) = value(h, u)[i];
      }
    }
  }
  b_in.assign(padded_f, 0.0);
  for (std::size_t j = 0; j < f; ++j) {
    b_in[j] = exact(m.b_in, j);
  }
  into = AffinePanels(f, d);
  neurons = AffinePanels(d, f);
  for (std::size_t j = 0; j < f; ++j) {
    neurons.bias[j] = b_in[j];
    for (std::size_t i = 0; i < d; ++i) {
      into.at(j, i) = neurons.at(i, j) = static_cast<double>(m.W_in.data[i * f + j]);
    }
  }
  fill_directions();
  fill_logits();
  bound_errors();
}

// Rounded sums of doubles; their errors are part of line_error.
void SuffixBounds::Tables::fill_directions() {
  along.assign(H * blocks * V * kBlock, 0.0);
  along_base.assign(V * blocks * kBlock, 0.0);
  for (std::size_t k = 0; k < directions; ++k) {
    std::vector<double> g(d);
    for (std::size_t i = 0; i < d; ++i) {
      g[i] =
          static_cast<double>(k < f ? model.W_in.data[i * f + k] : model.W_U.data[i * V + (k - f)]);
    }
    for (std::size_t u = 0; u < V; ++u) {
      for (std::size_t h = 0; h < H; ++h) {
        double sum = 0;
        for (std::size_t i = 0; i < d; ++i) {
          sum += g[i] * value(h, u)[i];
        }
        along[((h * blocks + k / kBlock) * V + u) * kBlock + k % kBlock] = sum;
      }
      double sum = k < f ? b_in[k] : 0.0;
      for (std::size_t i = 0; i < d; ++i) {
        sum += g[i] * forward.tables().base[u * d + i];
      }
      along_base[u * blocks * kBlock + k] = sum;
    }
  }
}

void SuffixBounds::Tables::fill_logits() {
  kappa.assign(V * padded_f, 0.0);
  unembed.assign(V * padded_d, 0.0);
  bias.assign(V, 0.0);
  kappa_size_.assign(f, 0.0);
  kappa_radius_.assign(f, 0.0);
  for (std::size_t t = 0; t < V; ++t) {
    for (std::size_t i = 0; i < d; ++i) {
      unembed[t * padded_d + i] = static_cast<double>(model.W_U.data[i * V + t]);
    }
    const auto along_unembed = [&](const Tensor& rows, std::size_t row, double start, double& slot,
                                   double& size, double& radius) {
      double sum = start, sum_size = std::fabs(start);
      for (std::size_t i = 0; i < d; ++i) {
        const double term = unembed[t * padded_d + i] * exact(rows, row * d + i);
        sum += term;
        sum_size += std::fabs(term);
      }
      slot = sum;
      size = std::max(size, enlarge(sum_size));
      radius = std::max(radius, enlarge(sum_error(d + 1) * enlarge(sum_size)));
    };
    for (std::size_t j = 0; j < f; ++j) {
      along_unembed(model.W_out, j, 0.0, kappa[t * padded_f + j], kappa_size_[j], kappa_radius_[j]);
    }
    if (f == 0) {
      bias[t] = exact(model.b_U, t);
      bias_size_ = std::max(bias_size_, std::fabs(bias[t]));
    } else {
      along_unembed(model.b_out, 0, exact(model.b_U, t), bias[t], bias_size_, bias_radius_);
    }
  }
  mid_logits = AffinePanels(d, V);
  post_logits = AffinePanels(f, V);
  for (std::size_t t = 0; t < V; ++t) {
    mid_logits.bias[t] = bias[t];
    for (std::size_t i = 0; i < d; ++i) {
      mid_logits.at(i, t) = unembed[t * padded_d + i];
    }
    for (std::size_t j = 0; j < f; ++j) {
      post_logits.at(j, t) = kappa[t * padded_f + j];
    }
  }
}

/// Of fl(<ĝ, base> + Σ_h L̂_h), when |ĝ_i|, |g_i| <= size_i and |ĝ_i − g_i| <= radius_i:
///   Σ_i radius_i S_i + size_i R_i + (8 δ + γ) Σ_i size_i S_i,
///   S_i >= |base_i| + 2 Σ_h |v_hi|,  R_i >= the tables' own errors
double SuffixBounds::Tables::line_error(const std::vector<double>& size,
                                        const std::vector<double>& radius) const {
  const ExactForward::Tables& t = forward.tables();
  double error = 0, total = 0;
  for (std::size_t i = 0; i < d; ++i) {
    double s = t.base_known.size[i] + t.base_known.radius[i], r = t.base_known.radius[i];
    for (std::size_t h = 0; h < H; ++h) {
      s += 2 * (t.value_known[h].size[i] + t.value_known[h].radius[i]);
      r += 2 * t.value_known[h].radius[i];
    }
    error += radius[i] * s + size[i] * r;
    total += size[i] * s;
  }
  return enlarge(enlarge(error) +
                 (8 * t.weight_error + 4 * sum_error(d + 2 * window + 64)) * enlarge(total));
}

std::vector<double> SuffixBounds::Tables::bound_ranges() {
  const ExactForward::Tables& t = forward.tables();
  range_radius.assign(blocks * kBlock, kInfinity);
  std::vector<double> range_size(directions), zero(d, 0.0), g(d);
  for (std::size_t k = 0; k < directions; ++k) {
    double size = k < f ? std::fabs(b_in[k]) : 0.0;
    for (std::size_t i = 0; i < d; ++i) {
      g[i] = std::fabs(static_cast<double>(k < f ? model.W_in.data[i * f + k]
                                                 : model.W_U.data[i * V + (k - f)]));
      double s = t.base_known.size[i];
      for (std::size_t h = 0; h < H; ++h) {
        s += 2 * t.value_known[h].size[i];
      }
      size += g[i] * enlarge(s);
    }
    const double error = enlarge(line_error(g, zero) + sum_error(4) * size);
    range_size[k] = enlarge(size + 2 * error);
    range_radius[k] = with_rounding(error, range_size[k]);
    range_size[k] = enlarge(range_size[k] + 2 * range_radius[k]);
  }
  return range_size;
}

void SuffixBounds::Tables::bound_errors() {
  const std::vector<double> range_size = bound_ranges();
  // κ = κ_t − Σ ω κ_y, ω in sixteenths of 2^-12 that sum to 1: at most 2 max |κ|.
  std::vector<double> G(d, 0.0), G_radius(d, 0.0);
  double size = 2 * bias_size_, radius = 2 * bias_radius_, screen_size = size, screen = radius;
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t y = 0; y < V; ++y) {
      G[i] = std::max(G[i], 2 * std::fabs(unembed[y * padded_d + i]));
    }
  }
  for (std::size_t j = 0; j < f; ++j) {
    const double k = 2 * enlarge(kappa_size_[j] + kappa_radius_[j]);
    const double e = enlarge(2 * kappa_radius_[j] + sum_error(32) * k);
    for (std::size_t i = 0; i < d; ++i) {
      const double w = std::fabs(static_cast<double>(model.W_in.data[i * f + j]));
      G[i] += k * w;
      G_radius[i] += e * w;
    }
    size += k * (std::fabs(b_in[j]) + range_size[j]);
    radius += e * (std::fabs(b_in[j]) + range_size[j]);
    screen_size += 3 * k * range_size[j];
    screen += 3 * e * range_size[j];
  }
  const double gamma = sum_error(2 * f + d + 64);
  for (std::size_t i = 0; i < d; ++i) {
    G[i] = enlarge(G[i]);
    G_radius[i] = enlarge(G_radius[i] + gamma * G[i]);
  }
  double line_size = 0;
  for (std::size_t k = f; k < directions; ++k) {
    line_size = std::max(line_size, 2 * range_size[k]);
  }
  screen_size = enlarge(screen_size + line_size);
  screen_radius = with_rounding(enlarge(screen + gamma * screen_size), screen_size);
  double vertex = screen + gamma * screen_size;
  for (std::size_t k = f; k < directions; ++k) {
    vertex = std::max(vertex, screen + gamma * screen_size + 2 * range_radius[k]);
  }
  for (std::size_t j = 0; j < f; ++j) {
    vertex += 6 * enlarge(kappa_size_[j] + kappa_radius_[j]) * range_radius[j];
  }
  vertex_radius = with_rounding(enlarge(vertex), screen_size);
  bound_fold(G, G_radius, enlarge(radius + gamma * size), size);
  if (!all_finite(along) || !all_finite(along_base) || !all_finite(kappa) ||
      !all_finite(range_size) || !all_finite(forward.tables().weight) ||
      !all_finite(forward.tables().value) || !std::isfinite(screen_radius) ||
      !std::isfinite(fold_radius) || !std::isfinite(vertex_radius) || !all_finite(head_reach)) {
    screen_radius = fold_radius = vertex_radius = kInfinity;
  }
}

/// r of FAST-FOLD, for directions G of that size and error; `radius` is that of what is not a line.
void SuffixBounds::Tables::bound_fold(const std::vector<double>& G,
                                      const std::vector<double>& G_radius, double radius,
                                      double size) {
  const ExactForward::Tables& t = forward.tables();
  double line_size = 0;
  for (std::size_t i = 0; i < d; ++i) {
    double s = t.base_known.size[i];
    for (std::size_t h = 0; h < H; ++h) {
      s += 2 * t.value_known[h].size[i];
    }
    line_size += G[i] * s;
  }
  for (std::size_t h = 0; h < H; ++h) {
    double reach = 0;
    for (std::size_t i = 0; i < d; ++i) {
      reach += G[i] * 2 * (t.value_known[h].size[i] + t.value_known[h].radius[i]);
    }
    head_reach.push_back(enlarge(reach));
  }
  size = enlarge(size + line_size);
  fold_radius = with_rounding(
      enlarge(radius + sum_error(2 * f + d + 64) * enlarge(line_size) + line_error(G, G_radius)),
      enlarge(size));
}

}  // namespace assay::automata
