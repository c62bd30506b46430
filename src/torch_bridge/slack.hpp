#pragma once

#include "network.hpp"

namespace assay::torch_bridge {

/// What every neuron's pre-activation can be in the contexts that end in given tokens.
struct NeuronBounds {
  at::Tensor lo, hi;  ///< [S, d_mlp]
};

/// The part of a neuron's pre-activation that one far head gives over all contexts that end in a
/// suffix. The query and each far position choose on their own (ATTN-MAX), the relative bias
/// e^{b_j} of position j factors out of its weight, so the same token is best at every far
/// position: the extremum is that of the contexts "one token repeated, then the suffix". It is
/// sought without gradients; where it lies, the value is differentiable (envelope theorem).
struct FarHead {
  at::Tensor near_sum;    ///< [S,1]: sum over known lags of e^{b_j} w
  at::Tensor near_moved;  ///< [S,M]: sum over known lags of e^{b_j} w <W_in, v W_O>
  at::Tensor far;         ///< [S,V]: w(u) times the sum over far lags of e^{b_j}
  at::Tensor moved;       ///< [V,M]: <W_in, v(u) W_O>

  [[nodiscard]] at::Tensor at_token(const at::Tensor& token) const {  // [S,M] -> [S,M]
    const at::Tensor weight = far.gather(1, token);
    return (near_moved + weight * moved.gather(0, token)) / (near_sum + weight);
  }
  [[nodiscard]] NeuronBounds bounds() const {
    at::Tensor top, bottom;
    {
      const c10::NoGradGuard no_gradient;
      const at::Tensor all = (near_moved.unsqueeze(1) + far.unsqueeze(2) * moved.unsqueeze(0)) /
                             (near_sum + far).unsqueeze(2);  // [S,V,M]
      top = all.argmax(1);
      bottom = all.argmin(1);
    }
    return {at_token(bottom), at_token(top)};
  }
};

/// NEURON-RANGE in float, differentiable: suffixes [S,known], the query last. Heads from
/// `far_heads` on see the known tokens alone and are exact. @pre relative bias, no LayerNorm.
inline NeuronBounds neuron_bounds(const Network& network, const at::Tensor& suffixes,
                                  std::size_t far_heads) {
  const auto& p = network.parameters();
  const auto of = [&](const char* name) -> const at::Tensor& { return p.at(name); };
  const auto per_head = [&](const at::Tensor& x, const char* w, const char* b) {  // [H,n,dh]
    return at::matmul(x, of(w)) + of(b).unsqueeze(1);
  };
  const at::Tensor& e = of("embed.W_E");
  const at::Tensor& w_in = of("blocks.0.mlp.W_in");
  const std::int64_t heads = len(network.config().n_heads), known = suffixes.size(1);
  const at::Tensor back = suffixes.flip(1);  // the query first
  const at::Tensor x = e.index_select(0, back.select(1, 0));
  const at::Tensor q =
      per_head(x, "blocks.0.attn.W_Q", "blocks.0.attn.b_Q") / network.config().attn_scale;
  const at::Tensor k = per_head(e, "blocks.0.attn.W_K", "blocks.0.attn.b_K");
  const at::Tensor v = per_head(e, "blocks.0.attn.W_V", "blocks.0.attn.b_V");
  const at::Tensor score = at::matmul(q, k.transpose(-1, -2));  // [H,S,V]
  const at::Tensor weight = at::exp(score - score.detach().amax(-1, true));
  const at::Tensor moved = at::matmul(at::matmul(v, of("blocks.0.attn.W_O")), w_in);  // [H,V,M]
  const at::Tensor factor = at::exp(of("blocks.0.attn.rel_bias"));                    // [H,window]
  const at::Tensor near = factor.narrow(1, 0, known).unsqueeze(1) *
                          weight.gather(2, back.unsqueeze(0).expand({heads, -1, -1}));
  const at::Tensor base = at::matmul(x + of("blocks.0.attn.b_O"), w_in) + of("blocks.0.mlp.b_in");
  NeuronBounds sum{base, base};
  for (std::int64_t h = 0; h < heads; ++h) {
    const at::Tensor shown =
        moved[h].index_select(0, back.flatten()).view({-1, known, base.size(1)});
    const FarHead head{near[h].sum(1, true), at::matmul(near[h].unsqueeze(1), shown).squeeze(1),
                       weight[h] * factor[h].narrow(0, known, factor.size(1) - known).sum(),
                       moved[h]};
    const at::Tensor alone = head.near_moved / head.near_sum;
    const NeuronBounds part = h < len(far_heads) ? head.bounds() : NeuronBounds{alone, alone};
    sum = {sum.lo + part.lo, sum.hi + part.hi};
  }
  return sum;
}

/// The relaxation's slack, in nats: a neuron that the far tokens can switch on and off costs FOLD
/// the largest distance lo hi/(lo-hi) between relu and its chord, times what the neuron does to
/// logits (the deviation over the vocabulary of its row of W_out W_U). Summed over neurons, mean
/// over suffixes. A neuron that keeps its sign costs nothing, however far it moves.
inline at::Tensor relaxation_slack(const Network& network, const at::Tensor& suffixes,
                                   std::size_t far_heads) {
  const NeuronBounds z = neuron_bounds(network, suffixes, far_heads);
  const at::Tensor gap = at::relu(z.hi) * at::relu(-z.lo) / (z.hi - z.lo).clamp_min(1e-6);  // [S,M]
  const auto& p = network.parameters();
  const at::Tensor reach =
      at::matmul(p.at("blocks.0.mlp.W_out"), p.at("unembed.W_U")).std(1, false);  // [M]
  return at::matmul(gap, reach).mean();
}

}  // namespace assay::torch_bridge
