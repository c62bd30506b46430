#pragma once

#include <vector>

#include "assay/automata/affine_panels.hpp"
#include "assay/automata/exact_forward.hpp"
#include "assay/automata/suffix_bounds.hpp"

namespace assay::automata {

/// Sixteen directions side by side: what ranges_of works on.
inline constexpr std::size_t kBlock = 16;

/// What every state of one model shares. Shapes: V tokens, d width, f neurons, H heads.
/// Directions 0 … f−1 are W_in[:,j], f … f+V−1 are W_U[:,t].
struct SuffixBounds::Tables {
  Tables(const Transformer& model, std::size_t known);

  const Transformer& model;
  ExactForward forward;
  std::size_t V, d, f, H, window, far;
  std::size_t padded_d, padded_f, padded_V;  ///< columns of the panels' rows
  std::size_t directions, blocks;
  std::vector<double> along;       ///< [H, blocks, V, kBlock]: <direction, v_h(u)>
  std::vector<double> along_base;  ///< [V current, blocks * kBlock]: <direction, base> + b_in
  std::vector<double> kappa;       ///< [V, padded_f]: <W_U[:,t], W_out[j]>
  std::vector<double> bias;        ///< [V]: b_U + <W_U[:,t], b_out>
  std::vector<double> unembed;     ///< [V, padded_d]: W_U[:,t]
  std::vector<double> b_in;        ///< [padded_f]
  AffinePanels into;               ///< [f -> d]: x W_in^T
  AffinePanels neurons;            ///< [d -> f]: x W_in + b_in
  AffinePanels mid_logits;         ///< [d -> V]: x W_U + bias
  AffinePanels post_logits;        ///< [f -> V]: x (W_out W_U)
  std::vector<AffinePanels> seen;  ///< per head [d -> V]: <x, v_h(u)>

  std::vector<double> range_radius;  ///< [blocks * kBlock]: error of one end of a range
  double screen_radius = 0;          ///< error of the screen's sum
  double fold_radius = 0;            ///< r of FAST-FOLD
  double vertex_radius = 0;          ///< error of VERTICES' sum
  std::vector<double> head_reach;    ///< [H] l_t − <q,l> moves at most so far per unit of ω

  [[nodiscard]] const double* weight_row(std::size_t head, std::size_t current) const {
    return forward.tables().weight.data() + (head * V + current) * V;
  }
  [[nodiscard]] double nearness(std::size_t head, std::size_t back) const {
    return forward.tables().nearness[head * window + back];
  }
  [[nodiscard]] const double* value(std::size_t head, std::size_t token) const {
    return forward.tables().value.data() + (token * H + head) * d;
  }

 private:
  void fill_directions();
  void fill_logits();
  [[nodiscard]] std::vector<double> bound_ranges();
  void bound_errors();
  void bound_fold(const std::vector<double>& G, const std::vector<double>& G_radius, double radius,
                  double size);
  [[nodiscard]] double line_error(const std::vector<double>& size,
                                  const std::vector<double>& radius) const;
  std::vector<double> kappa_size_, kappa_radius_;  ///< [f], over all tokens
  double bias_size_ = 0, bias_radius_ = 0;
};

}  // namespace assay::automata
