#pragma once

#include <string>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/bounds/quantity.hpp"
#include "assay/model/sae.hpp"
#include "bounds_fixture.hpp"

// Small random models of every one-layer family that the general bounds speak of.
namespace fixture {

struct Family {
  const char* name;
  assay::PosKind positions = assay::PosKind::standard;
  std::size_t window = 0;
  bool bias = false;
  assay::NormKind norm = assay::NormKind::none;
  bool affine = true;
  assay::ActFn act = assay::ActFn::relu;
  bool attn_only = false;
  bool biases = true;
};

inline std::vector<Family> families() {
  using assay::ActFn;
  using assay::NormKind;
  using assay::PosKind;
  return {
      {.name = "absolute"},
      {.name = "absolute, window", .window = 3, .biases = false},
      {.name = "absolute, window, relative bias", .window = 3, .bias = true},
      {.name = "relative", .positions = PosKind::relative, .window = 4, .bias = true},
      {.name = "relative, full", .positions = PosKind::relative, .bias = true},
      {.name = "rotary", .positions = PosKind::rotary},
      {.name = "rotary, window", .positions = PosKind::rotary, .window = 3},
      {.name = "no positions", .positions = PosKind::none, .window = 3},
      {.name = "attention only", .attn_only = true},
      {.name = "attention only, LN", .norm = NormKind::layer_norm, .attn_only = true},
      {.name = "LN, gelu", .norm = NormKind::layer_norm, .act = ActFn::gelu_erf},
      {.name = "LN, relu, relative",
       .positions = PosKind::relative,
       .window = 4,
       .bias = true,
       .norm = NormKind::layer_norm},
      {.name = "LNPre, gelu_new, rotary",
       .positions = PosKind::rotary,
       .window = 3,
       .norm = NormKind::layer_norm,
       .affine = false,
       .act = ActFn::gelu_tanh},
      {.name = "gelu", .act = ActFn::gelu_erf},
      {.name = "gelu_new, relative",
       .positions = PosKind::relative,
       .window = 4,
       .bias = true,
       .act = ActFn::gelu_tanh},
  };
}

inline Transformer family_model(const Family& family, std::uint64_t seed, std::size_t V = 4,
                                double size = 1.0) {
  assay::Random r(seed);
  constexpr std::size_t d = 6, H = 2, dh = 4, f = 7;
  Transformer m;
  auto& c = m.config;
  c.d_model = d;
  c.n_ctx = 8;
  c.d_head = dh;
  c.n_heads = H;
  c.d_mlp = family.attn_only ? 0 : f;
  c.d_vocab = V;
  c.d_vocab_out = V + 1;
  c.act_fn = family.act;
  c.norm = family.norm;
  c.norm_affine = family.affine;
  c.attn_only = family.attn_only;
  c.positions = family.positions;
  c.attention_window = family.window;
  c.relative_bias = family.bias;
  if (family.positions == assay::PosKind::rotary) {
    c.rotary_dim = r.below(2) == 0 ? dh : dh - 2;
  }
  const auto bias = [&](std::vector<std::size_t> shape) {
    return family.biases ? random_tensor(r, std::move(shape), 0.5) : Tensor{};
  };
  m.W_E = random_tensor(r, {V, d}, 1.5 * size);
  if (family.positions == assay::PosKind::standard) {
    m.W_pos = random_tensor(r, {c.n_ctx, d}, 0.7 * size);
  }
  m.W_Q = random_tensor(r, {H, d, dh}, 1.0);
  m.W_K = random_tensor(r, {H, d, dh}, 1.0);
  m.W_V = random_tensor(r, {H, d, dh}, 1.0);
  m.W_O = random_tensor(r, {H, dh, d}, 1.0);
  m.b_Q = bias({H, dh});
  m.b_K = bias({H, dh});
  m.b_V = bias({H, dh});
  m.b_O = bias({d});
  if (family.bias) {
    m.rel_bias = random_tensor(r, {H, family.window == 0 ? c.n_ctx : family.window}, 1.0);
  }
  if (!family.attn_only) {
    m.W_in = random_tensor(r, {d, f}, 1.0);
    m.b_in = bias({f});
    m.W_out = random_tensor(r, {f, d}, 1.0);
    m.b_out = bias({d});
  }
  m.W_U = random_tensor(r, {d, V + 1}, 1.0);
  m.b_U = bias({V + 1});
  if (family.norm == assay::NormKind::layer_norm && family.affine) {
    for (Tensor* w : {&m.ln1_w, &m.ln2_w, &m.ln_final_w}) {
      *w = random_tensor(r, {d}, 0.5);
      for (float& x : w->data) {
        x += 1.0F;
      }
    }
    for (Tensor* b : {&m.ln1_b, &m.ln2_b, &m.ln_final_b}) {
      *b = random_tensor(r, {d}, 0.3);
    }
  }
  return m;
}

/// Contexts of a fixed number of positions, each position's token in its set.
inline std::vector<std::vector<TokenId>> contexts_of(
    const std::vector<std::vector<std::uint32_t>>& sets) {
  std::vector<std::vector<TokenId>> all{{}};
  for (const auto& set : sets) {
    std::vector<std::vector<TokenId>> next;
    for (const auto& prefix : all) {
      for (const std::uint32_t t : set) {
        next.push_back(prefix);
        next.back().emplace_back(static_cast<std::size_t>(t));
      }
    }
    all = std::move(next);
  }
  return all;
}

/// Every kind of quantity that the model has, spread over its indices by `seed`.
inline std::vector<assay::bounds::Quantity> quantities_of(const Transformer& m, const Sae* sae,
                                                          std::uint64_t seed) {
  using assay::bounds::Quantity;
  using assay::bounds::QuantityKind;
  assay::Random r(seed);
  std::vector<Quantity> all;
  const auto add = [&](QuantityKind kind, std::size_t limit, std::size_t other) {
    Quantity q;
    q.kind = kind;
    q.index = static_cast<std::uint32_t>(r.below(limit));
    q.other = static_cast<std::uint32_t>(r.below(other));
    all.push_back(q);
  };
  add(QuantityKind::logit, m.config.d_vocab_out, 1);
  add(QuantityKind::logit_difference, m.config.d_vocab_out, m.config.d_vocab_out - 1);
  all.back().other += all.back().other >= all.back().index ? 1U : 0U;  // another token
  if (!m.config.attn_only) {
    add(QuantityKind::neuron, m.config.d_mlp, 1);
  }
  if (sae != nullptr) {
    add(QuantityKind::feature, sae->d_sae, 1);
    add(QuantityKind::feature_difference, sae->d_sae, sae->d_sae - 1);
    all.back().other += all.back().other >= all.back().index ? 1U : 0U;
  }
  Quantity direction;
  direction.kind = QuantityKind::residual_mid;
  for (std::size_t i = 0; i < m.config.d_model; ++i) {
    direction.direction.push_back(2 * r.unit() - 1);
  }
  all.push_back(direction);
  Quantity probe;
  probe.kind = QuantityKind::readout;
  probe.readout = assay::Readout{assay::kHookResidPost, direction.direction, 0.25, {}};
  all.push_back(probe);
  add(QuantityKind::logit_margin, m.config.d_vocab_out, 1);
  return all;
}

}  // namespace fixture
