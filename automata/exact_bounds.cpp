// FAST-FORWARD: the tables of ExactForward and the error of its arithmetic, bounded once.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "assay/automata/exact_forward.hpp"
#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"
#include "forward_error.hpp"

namespace assay::automata {
namespace {

using forward_error::attention_scale;
using forward_error::enlarge;
using forward_error::entry;
using forward_error::kInfinity;
using forward_error::kSmallestWeight;
using forward_error::kUnit;
using forward_error::magnitude;
using forward_error::middle;
using forward_error::projected;
using forward_error::reach;
using forward_error::real;
using forward_error::sum_error;
using forward_error::with_rounding;
constexpr std::size_t kMaxVocabulary = 4096;

}  // namespace

void require_exact_family(const Transformer& model) {
  const auto& c = model.config;
  const auto refuse = [](bool wrong, const char* expected, const char* found) {
    if (wrong) {
      throw UsageError(std::string("exact mode: expected ") + expected + ", found " + found);
    }
  };
  refuse(c.n_layers != 1, "a model of one layer", "a deeper one");
  refuse(c.attention_window == 0, "a hard attention window (attention_window)", "full attention");
  refuse(c.positions == PosKind::standard, "relative bias or no positions", "absolute positions");
  refuse(c.positions == PosKind::rotary, "relative bias or no positions", "rotary positions");
  refuse(c.norm != NormKind::none, "no LayerNorm", "normalization_type LN");
  refuse(!c.attn_only && c.act_fn != ActFn::relu, "act_fn relu", "another activation");
  refuse(c.d_vocab > kMaxVocabulary, "at most 4096 tokens", "more");
  refuse(c.d_vocab_out != c.d_vocab, "logits of exactly the vocabulary (d_vocab_out = d_vocab)",
         "another d_vocab_out");
}

ExactForward::ExactForward(const Transformer& model, std::vector<Probe> probes)
    : codes_((require_exact_family(model), model.config.d_vocab), model.config.attention_window),
      vocabulary_(model.config.d_vocab),
      width_(model.config.d_model),
      heads_(model.config.n_heads),
      neurons_(model.config.attn_only ? 0 : model.config.d_mlp),
      probes_(std::move(probes)) {
  score_tables(model);
  const Known mid = value_tables(model);
  Known post, out, resid = mid;
  if (neurons_ > 0) {
    in_ = AffinePanels::of(model.W_in, model.b_in, width_, neurons_);
    out_ = AffinePanels::of(model.W_out, model.b_out, neurons_, width_);
    post = through(mid, model.W_in, model.b_in, neurons_);  // relu moves no two numbers apart
    out = through(post, model.W_out, model.b_out, width_);
    for (std::size_t i = 0; i < width_; ++i) {
      resid.size[i] = enlarge(mid.size[i] + out.size[i]);
      resid.radius[i] = enlarge(mid.radius[i] + out.radius[i] + 2 * kUnit * resid.size[i]);
    }
  }
  unembed_ = AffinePanels::of(model.W_U, model.b_U, width_, vocabulary_);
  const Known logits = through(resid, model.W_U, model.b_U, vocabulary_);
  for (std::size_t t = 0; t < vocabulary_; ++t) {
    logit_radius_.push_back(with_rounding(logits.radius[t], logits.size[t]));
  }
  bound_probes({mid, post, out, resid});
}

// |fl(x̂ W + b) − (x W + b)| <= Σ |x̂_i − x_i| |W_ij| + γ (Σ |x̂_i| |W_ij| + |b_j|)
ExactForward::Known ExactForward::through(const Known& x, const Tensor& weights, const Tensor& bias,
                                          std::size_t out) {
  Known y;
  y.size.assign(out, 0.0);
  y.radius.assign(out, 0.0);
  for (std::size_t i = 0; i < x.size.size(); ++i) {
    for (std::size_t j = 0; j < out; ++j) {
      const double w = std::fabs(static_cast<double>(weights.data[i * out + j]));
      y.size[j] += x.size[i] * w;
      y.radius[j] += x.radius[i] * w;
    }
  }
  for (std::size_t j = 0; j < out; ++j) {
    const double b = bias.data.empty() ? 0.0 : std::fabs(static_cast<double>(bias.data[j]));
    const double total = enlarge(y.size[j] + b);
    y.radius[j] = enlarge(y.radius[j] + sum_error(x.size.size() + 1) * total);
    y.size[j] = enlarge(total + y.radius[j]);
  }
  return y;
}

// weight_error bounds the relative error of p̂_j = fl(ê_j / Σ ê): each ê_j is off by a factor
// within 1 ± (ε_E + ε_B + 2u), the sum by the same and γ_w, the division by 2u; doubled.
void ExactForward::score_tables(const Transformer& model) {
  const auto& c = model.config;
  const std::size_t V = vocabulary_, e = c.d_head, w = c.attention_window;
  const Interval scale = attention_scale(c);
  tables_.weight.resize(heads_ * V * V);
  tables_.nearness.assign(heads_ * w, 1.0);
  double relative = 0;
  const auto store = [&](Interval exponent, double& slot) {
    const Interval value = exp(exponent);
    slot = middle(value);
    relative = value.lo >= kSmallestWeight ? std::max(relative, round_up(value.width() / value.lo))
                                           : kInfinity;
  };
  for (std::size_t h = 0; h < heads_; ++h) {
    const std::vector<Interval> q = projected(model, model.W_Q, model.b_Q, h);
    const std::vector<Interval> k = projected(model, model.W_K, model.b_K, h);
    std::vector<Interval> scores(V);
    for (std::size_t a = 0; a < V; ++a) {
      double top = -kInfinity;
      for (std::size_t u = 0; u < V; ++u) {
        Interval s(0.0);
        for (std::size_t i = 0; i < e; ++i) {
          s += q[a * e + i] * k[u * e + i];
        }
        scores[u] = s / scale;
        top = std::max(top, scores[u].hi);
      }
      for (std::size_t u = 0; u < V; ++u) {
        store(scores[u] - Interval(top), tables_.weight[(h * V + a) * V + u]);
      }
    }
    if (!model.rel_bias.data.empty()) {
      const float* row = model.rel_bias.data.data() + h * model.rel_bias.cols();
      const float top = *std::max_element(row, row + w);
      for (std::size_t j = 0; j < w; ++j) {
        store(real(row[j]) - real(top), tables_.nearness[h * w + j]);
      }
    }
  }
  tables_.weight_error = enlarge(8 * relative + 8 * sum_error(w));
  if (!(tables_.weight_error < 0x1p-10)) {
    tables_.weight_error = kInfinity;
  }
}

// |m̂_i − m_i| <= r_base + Σ_h (weight_error max|v| + 2 r_v) + γ (|base| + 2 Σ_h max|v|)
ExactForward::Known ExactForward::value_tables(const Transformer& model) {
  const double weight_error = tables_.weight_error;
  Known mid;
  const std::size_t V = vocabulary_, d = width_, e = model.config.d_head;
  tables_.value.resize(V * heads_ * d);
  tables_.base.resize(V * d);
  mid.size.assign(d, 0.0);
  mid.radius.assign(d, 0.0);
  for (std::size_t i = 0; i < d; ++i) {
    double size = 0, radius = 0;
    for (std::size_t t = 0; t < V; ++t) {
      const Interval x = real(model.W_E.at(t, i)) + entry(model.b_O, i);
      tables_.base[t * d + i] = middle(x);
      size = std::max(size, magnitude(x));
      radius = std::max(radius, reach(x, tables_.base[t * d + i]));
    }
    mid.size[i] = size;
    mid.radius[i] = radius;
  }
  tables_.base_known = mid;
  tables_.value_known.assign(heads_, mid);
  for (std::size_t h = 0; h < heads_; ++h) {
    const std::vector<Interval> v = projected(model, model.W_V, model.b_V, h);
    for (std::size_t i = 0; i < d; ++i) {
      double size = 0, radius = 0;
      for (std::size_t t = 0; t < V; ++t) {
        Interval x(0.0);
        for (std::size_t k = 0; k < e; ++k) {
          x += v[t * e + k] * real(model.W_O.data[(h * e + k) * d + i]);
        }
        double& slot = tables_.value[(t * heads_ + h) * d + i];
        slot = middle(x);
        size = std::max(size, magnitude(x));
        radius = std::max(radius, reach(x, slot));
      }
      tables_.value_known[h].size[i] = size;
      tables_.value_known[h].radius[i] = radius;
      mid.size[i] += 2 * size;
      mid.radius[i] += enlarge(weight_error * size + 2 * radius);
    }
  }
  const std::size_t terms = heads_ * codes_.window() + 1;
  for (std::size_t i = 0; i < d; ++i) {
    mid.size[i] = enlarge(mid.size[i]);
    mid.radius[i] = enlarge(mid.radius[i] + sum_error(terms) * mid.size[i]);
    mid.size[i] = enlarge(mid.size[i] + mid.radius[i]);
  }
  return mid;
}

std::size_t ExactForward::site(const std::string& hook) const {
  static constexpr std::array<const char*, 4> kSites = {kHookResidMid, kHookMlpPost, kHookMlpOut,
                                                        kHookResidPost};
  for (std::size_t s = 0; s < kSites.size(); ++s) {
    if (hook == kSites[s] && (neurons_ > 0 || s == 0 || s == 3)) {
      return s;
    }
  }
  throw InputError("hook", hook, "a hook that exact mode evaluates", "another one");
}

void ExactForward::bound_probes(const std::vector<Known>& sites) {
  for (const Probe& probe : probes_) {
    probe_site_.push_back(site(probe.hook));
    const Known& x = sites[probe_site_.back()];
    if (probe.weights.size() != x.size.size()) {
      throw InputError("hook", probe.hook, std::to_string(x.size.size()) + " weights",
                       std::to_string(probe.weights.size()));
    }
    double size = magnitude(probe.bias), radius = probe.bias.width();
    for (std::size_t i = 0; i < probe.weights.size(); ++i) {
      size += x.size[i] * std::fabs(probe.weights[i]);
      radius += x.radius[i] * std::fabs(probe.weights[i]);
    }
    const double total = enlarge(radius) + sum_error(probe.weights.size() + 1) * enlarge(size);
    probe_radius_.push_back(with_rounding(total, enlarge(size + total)));
  }
}

}  // namespace assay::automata
