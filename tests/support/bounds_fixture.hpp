#pragma once

#include <cmath>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"

// Small random models of the provable family, and the network written a second, dumber time in
// long double: the oracle of the bounds tests.
namespace fixture {

using assay::Sae;
using assay::Tensor;
using assay::TokenId;
using assay::Transformer;
using Vec = std::vector<long double>;

inline Tensor random_tensor(assay::Random& random, std::vector<std::size_t> shape, double size) {
  Tensor t = assay::zeros(std::move(shape));
  for (float& x : t.data) {
    x = static_cast<float>((random.unit() + random.unit() + random.unit() - 1.5) * size);
  }
  return t;
}

struct Size {
  std::size_t V = 5, d = 4, H = 2, dh = 3, f = 6, w = 4;
};

inline Transformer random_model(std::uint64_t seed, Size s = {}) {
  assay::Random r(seed);
  Transformer m;
  auto& c = m.config;
  c.d_model = s.d;
  c.n_ctx = 16;
  c.d_head = s.dh;
  c.n_heads = s.H;
  c.d_mlp = s.f;
  c.d_vocab = c.d_vocab_out = s.V;
  c.attention_window = s.w;
  c.relative_bias = true;
  m.W_E = random_tensor(r, {s.V, s.d}, 1.5);
  m.W_Q = random_tensor(r, {s.H, s.d, s.dh}, 1.2);
  m.W_K = random_tensor(r, {s.H, s.d, s.dh}, 1.2);
  m.W_V = random_tensor(r, {s.H, s.d, s.dh}, 1.0);
  m.W_O = random_tensor(r, {s.H, s.dh, s.d}, 1.0);
  m.b_Q = random_tensor(r, {s.H, s.dh}, 0.5);
  m.b_K = random_tensor(r, {s.H, s.dh}, 0.5);
  m.b_V = random_tensor(r, {s.H, s.dh}, 0.5);
  m.b_O = random_tensor(r, {s.d}, 0.5);
  m.rel_bias = random_tensor(r, {s.H, s.w}, 1.0);
  m.W_in = random_tensor(r, {s.d, s.f}, 1.0);
  m.b_in = random_tensor(r, {s.f}, 0.5);
  m.W_out = random_tensor(r, {s.f, s.d}, 1.0);
  m.b_out = random_tensor(r, {s.d}, 0.5);
  m.W_U = random_tensor(r, {s.d, s.V}, 1.0);
  m.b_U = random_tensor(r, {s.V}, 0.5);
  return m;
}

inline Sae random_sae(std::uint64_t seed, const char* hook, std::size_t d_in, std::size_t m = 3) {
  assay::Random r(seed);
  Sae sae;
  sae.architecture = "jumprelu";
  sae.hook_name = sae.hook_name_out = hook;
  sae.d_in = sae.d_out = d_in;
  sae.d_sae = m;
  sae.W_enc = random_tensor(r, {d_in, m}, 1.0);
  sae.b_enc = random_tensor(r, {m}, 1.0);
  sae.W_dec = random_tensor(r, {m, d_in}, 1.0);
  sae.b_dec = random_tensor(r, {d_in}, 0.5);
  sae.threshold = assay::zeros({m});
  for (float& x : sae.threshold.data) {
    x = 0.25F;
  }
  return sae;
}

struct Naive {
  std::vector<Vec> head;  ///< [H][d]
  Vec mid, pre, post, logits;
};

/// The formulas of docs/certificate-format.md, "Semantics", letter by letter.
inline Naive naive(const Transformer& m, const std::vector<TokenId>& context) {
  const auto& c = m.config;
  const std::size_t d = c.d_model, dh = c.d_head;
  const auto project = [&](const Tensor& W, const Tensor& b, std::size_t h, TokenId t) {
    Vec y(dh);
    for (std::size_t i = 0; i < dh; ++i) {
      y[i] = b.at(h, i);
      for (std::size_t r = 0; r < d; ++r) {
        y[i] += static_cast<long double>(m.W_E.at(t.at(), r)) * W.at(h, r, i);
      }
    }
    return y;
  };
  const std::size_t n = context.size();
  const TokenId current = context.back();
  Naive out;
  for (std::size_t i = 0; i < d; ++i) {
    out.mid.push_back(static_cast<long double>(m.W_E.at(current.at(), i)) + m.b_O.data[i]);
  }
  for (std::size_t h = 0; h < c.n_heads; ++h) {
    const Vec q = project(m.W_Q, m.b_Q, h, current);
    Vec mean(dh, 0.0L);
    long double total = 0;
    for (std::size_t j = 0; j < n && j < c.attention_window; ++j) {
      const Vec k = project(m.W_K, m.b_K, h, context[n - 1 - j]);
      const Vec v = project(m.W_V, m.b_V, h, context[n - 1 - j]);
      long double s = 0;
      for (std::size_t i = 0; i < dh; ++i) {
        s += q[i] * k[i];
      }
      const long double weight =
          std::exp(s / std::sqrt(static_cast<long double>(dh)) + m.rel_bias.at(h, j));
      total += weight;
      for (std::size_t i = 0; i < dh; ++i) {
        mean[i] += weight * v[i];
      }
    }
    Vec o(d, 0.0L);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t r = 0; r < dh; ++r) {
        o[i] += mean[r] / total * m.W_O.at(h, r, i);
      }
      out.mid[i] += o[i];
    }
    out.head.push_back(o);
  }
  const auto affine = [](const Vec& x, const Tensor& W, const Tensor& b) {
    Vec y;
    for (std::size_t j = 0; j < W.cols(); ++j) {
      long double sum = b.data[j];
      for (std::size_t i = 0; i < x.size(); ++i) {
        sum += x[i] * W.at(i, j);
      }
      y.push_back(sum);
    }
    return y;
  };
  out.pre = affine(out.mid, m.W_in, m.b_in);
  for (const long double z : out.pre) {
    out.post.push_back(z > 0 ? z : 0.0L);
  }
  Vec post = affine(out.post, m.W_out, m.b_out);
  for (std::size_t i = 0; i < d; ++i) {
    post[i] += out.mid[i];
  }
  out.logits = affine(post, m.W_U, m.b_U);
  return out;
}

inline long double naive_feature(const Sae& sae, std::size_t i, const Naive& values) {
  const Vec& x = sae.hook_name == assay::kHookResidMid ? values.mid : values.post;
  long double sum = sae.b_enc.data[i];
  for (std::size_t r = 0; r < x.size(); ++r) {
    sum += (x[r] - (sae.apply_b_dec_to_input ? sae.b_dec.data[r] : 0.0F)) * sae.W_enc.at(r, i);
  }
  return sum;
}

/// Every context of length k … w that ends in the suffix (longer ones show the same keys).
inline std::vector<std::vector<TokenId>> all_contexts(const Transformer& m,
                                                      const std::vector<TokenId>& suffix) {
  std::vector<std::vector<TokenId>> all{suffix};
  for (std::size_t first = 0, n = suffix.size(); n < m.config.attention_window; ++n) {
    const std::size_t end = all.size();
    for (std::size_t i = first; i < end; ++i) {
      for (std::size_t u = 0; u < m.config.d_vocab; ++u) {
        std::vector<TokenId> longer{TokenId(u)};
        longer.insert(longer.end(), all[i].begin(), all[i].end());
        all.push_back(std::move(longer));
      }
    }
    first = end;
  }
  return all;
}

}  // namespace fixture
