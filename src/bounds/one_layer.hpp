#pragma once

#include <vector>

#include "assay/bounds/attention.hpp"
#include "ball.hpp"

namespace assay::bounds {

/// Shapes: V = d_vocab, d = d_model, f = d_mlp.
struct OneLayer::Tables {
  const Transformer* model = nullptr;
  std::size_t vocab = 0, d = 0, heads = 0, d_head = 0, f = 0, window = 0;
  Interval scale;                   ///< attn_scale
  std::vector<Ball> out;            ///< per head [V,d]: v_h(u) W_O[h]
  std::vector<Ball> keys;           ///< per head [V,d_head]: k_h(u)
  std::vector<Ball> queries;        ///< per head [V,d_head]: q_h(u)
  std::vector<Ball> along_neurons;  ///< per head [f,V]: <W_in[:,j], v_h(u) W_O[h]>
  Rows resid_base;                  ///< [V,d]: x_u + b_O, nearest
  Rows W_in, W_out, W_U;            ///< [d,f], [f,d], [d,Vo], exact
  Row b_in, b_out, b_U;

  /// nu_h(u) = <g, v_h(u) W_O[h]> for every token: [V,1].
  [[nodiscard]] Ball values(std::size_t head, const Direction& g) const;
};

/// e^{s_h(j,u)} up to one positive factor per head; see ATTN-MAX.
struct Suffix::Weights {
  struct Head {
    std::vector<double> lo, hi, mid;  ///< [V]: e^{<q,k(u)>/scale}, shifted
    std::vector<Interval> known;      ///< [k]: e^{b_j} w(a_j), a_0 the current token
    Interval free;                    ///< sum_{k<=j<w} e^{b_j}
    std::vector<double> bias_factor;  ///< [w]: e^{b_j}, nearest
  };
  std::vector<Head> heads;
  std::vector<TokenId> back;  ///< a_0, a_1, …
};

/// Dinkelbach's ascent on nearest values: the head's maximum over the domain, unproved.
struct Ascent {
  double L = 0;
  std::optional<TokenId> maximiser;
};
[[nodiscard]] Ascent ascend(const Suffix::Weights::Head& head, const std::vector<TokenId>& back,
                            const double* values, std::size_t vocab);
/// ATTN-MAX's check on enclosed values mid ± radius.
[[nodiscard]] bool attn_max_holds(const Suffix::Weights::Head& head,
                                  const std::vector<TokenId>& back, const double* mid,
                                  const double* radius, std::size_t vocab, double L);
/// Ascent, then the smallest grid value above it that the check accepts.
[[nodiscard]] HeadMaximum certified_maximum(const Suffix::Weights::Head& head,
                                            const std::vector<TokenId>& back, const double* mid,
                                            const double* radius, std::size_t vocab);

}  // namespace assay::bounds
