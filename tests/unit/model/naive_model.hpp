#pragma once
// A second writing of the model, scalar by scalar, that shares nothing with src/model, and
// random models to compare the two on.

#include <cmath>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/model/forward.hpp"

namespace naive {

using Vec = std::vector<double>;
using assay::ActFn;
using assay::NormKind;
using assay::PosKind;
using assay::Tensor;
using assay::TokenId;
using assay::Transformer;

inline Tensor random_tensor(assay::Random& random, std::vector<std::size_t> shape, double scale) {
  Tensor tensor = assay::zeros(std::move(shape));
  for (float& x : tensor.data) {
    x = static_cast<float>(scale * (2 * random.unit() - 1));
  }
  return tensor;
}

inline Transformer random_model(PosKind positions, ActFn act, NormKind norm, bool affine,
                                std::size_t window, bool attn_only, std::uint64_t seed) {
  assay::Random random(seed);
  Transformer m;
  auto& c = m.config;
  c.d_model = 7;
  c.n_ctx = 12;
  c.d_head = 4;
  c.n_heads = 3;
  c.d_mlp = attn_only ? 0 : 9;
  c.d_vocab = 11;
  c.d_vocab_out = 10;
  c.act_fn = act;
  c.norm = norm;
  c.norm_affine = affine;
  c.attn_only = attn_only;
  c.positions = positions;
  c.attention_window = window;
  c.relative_bias = positions == PosKind::relative;
  c.attn_scale = 1.7;
  c.rotary_dim = positions == PosKind::rotary ? 2 : 0;
  const auto t = [&random](std::vector<std::size_t> shape) {
    return random_tensor(random, std::move(shape), 0.9);
  };
  m.W_E = t({11, 7});
  m.W_Q = t({3, 7, 4}), m.W_K = t({3, 7, 4}), m.W_V = t({3, 7, 4}), m.W_O = t({3, 4, 7});
  m.b_Q = t({3, 4}), m.b_K = t({3, 4}), m.b_V = t({3, 4}), m.b_O = t({7});
  m.W_U = t({7, 10}), m.b_U = t({10});
  if (positions == PosKind::standard) {
    m.W_pos = t({12, 7});
  }
  if (c.relative_bias) {
    m.rel_bias = t({3, window == 0 ? 12 : window});
  }
  if (!attn_only) {
    m.W_in = t({7, 9}), m.b_in = t({9}), m.W_out = t({9, 7}), m.b_out = t({7});
  }
  if (norm == NormKind::layer_norm && affine) {
    m.ln1_w = t({7}), m.ln1_b = t({7}), m.ln_final_w = t({7}), m.ln_final_b = t({7});
    if (!attn_only) {
      m.ln2_w = t({7}), m.ln2_b = t({7});
    }
  }
  return m;
}

inline Vec norm(const Transformer& m, const Vec& x, const Tensor& w, const Tensor& b) {
  if (m.config.norm == NormKind::none) {
    return x;
  }
  double mean = 0, variance = 0;
  for (const double v : x) {
    mean += v / static_cast<double>(x.size());
  }
  for (const double v : x) {
    variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  }
  Vec y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double z = (x[i] - mean) / std::sqrt(variance + m.config.eps);
    y.push_back(w.data.empty() ? z : z * double{w.data[i]} + double{b.data[i]});
  }
  return y;
}

/// x [d] times W[h] ([d, m] inside a [H, d, m] tensor) plus b[h].
inline Vec project(const Vec& x, const Tensor& W, const Tensor& b, std::size_t h) {
  const std::size_t m = W.shape[2];
  Vec y(m, 0.0);
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[j] += x[i] * double{W.at(h, i, j)};
    }
    y[j] += double{b.data[h * m + j]};
  }
  return y;
}

inline Vec linear(const Vec& x, const Tensor& W, const Tensor& b) {
  Vec y(W.shape[1], 0.0);
  for (std::size_t j = 0; j < y.size(); ++j) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[j] += x[i] * double{W.at(i, j)};
    }
    y[j] += double{b.data[j]};
  }
  return y;
}

/// Rotation by complex multiplication: pair (i, i + half) is one complex number.
inline void rotate(const Transformer& m, std::size_t position, Vec& x) {
  const std::size_t half = m.config.rotary_dim / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double angle =
        static_cast<double>(position) *
        std::pow(m.config.rotary_base, -static_cast<double>(i) / static_cast<double>(half));
    const double re = x[i], im = x[i + half];
    x[i] = re * std::cos(angle) - im * std::sin(angle);
    x[i + half] = im * std::cos(angle) + re * std::sin(angle);
  }
}

inline double act(const Transformer& m, double x) {
  switch (m.config.act_fn) {
    case ActFn::relu:
      return std::fmax(x, 0);
    case ActFn::gelu_erf:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case ActFn::gelu_tanh:
      break;
  }
  return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

inline Vec embed(const Transformer& m, const std::vector<TokenId>& tokens, std::size_t p) {
  Vec x(m.config.d_model);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = double{m.W_E.at(tokens[p].at(), i)};
    if (m.config.positions == PosKind::standard) {
      x[i] += double{m.W_pos.at(p, i)};
    }
  }
  return x;
}

/// Attention output of the query at `n`.
inline Vec attention(const Transformer& m, const std::vector<TokenId>& tokens, std::size_t n) {
  const auto& c = m.config;
  const auto normed = [&](std::size_t p) { return norm(m, embed(m, tokens, p), m.ln1_w, m.ln1_b); };
  Vec out(m.b_O.data.begin(), m.b_O.data.end());
  for (std::size_t h = 0; h < c.n_heads; ++h) {
    Vec q = project(normed(n), m.W_Q, m.b_Q, h);
    Vec weight(n + 1, 0.0);
    double total = 0;
    for (std::size_t p = 0; p <= n; ++p) {
      if (c.attention_window != 0 && n - p >= c.attention_window) {
        continue;
      }
      Vec k = project(normed(p), m.W_K, m.b_K, h);
      Vec rotated = q;
      if (c.positions == PosKind::rotary) {
        rotate(m, n, rotated);
        rotate(m, p, k);
      }
      double score = 0;
      for (std::size_t i = 0; i < c.d_head; ++i) {
        score += rotated[i] * k[i] / c.attn_scale;
      }
      score += c.relative_bias ? double{m.rel_bias.at(h, n - p)} : 0.0;
      weight[p] = std::exp(score);
      total += weight[p];
    }
    for (std::size_t p = 0; p <= n; ++p) {
      const Vec v = project(normed(p), m.W_V, m.b_V, h);
      for (std::size_t i = 0; i < c.d_model; ++i) {
        for (std::size_t j = 0; j < c.d_head; ++j) {
          out[i] += weight[p] / total * v[j] * double{m.W_O.at(h, j, i)};
        }
      }
    }
  }
  return out;
}

/// Logits after tokens[0..n].
inline Vec logits(const Transformer& m, const std::vector<TokenId>& tokens, std::size_t n) {
  Vec x = embed(m, tokens, n);
  const Vec attended = attention(m, tokens, n);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] += attended[i];
  }
  if (!m.config.attn_only) {
    Vec hidden = linear(norm(m, x, m.ln2_w, m.ln2_b), m.W_in, m.b_in);
    for (double& v : hidden) {
      v = act(m, v);
    }
    const Vec mlp_out = linear(hidden, m.W_out, m.b_out);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += mlp_out[i];
    }
  }
  return linear(norm(m, x, m.ln_final_w, m.ln_final_b), m.W_U, m.b_U);
}

}  // namespace naive
