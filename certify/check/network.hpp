#pragma once

#include <string>
#include <vector>

#include "activation.hpp"
#include "interval.hpp"

namespace assay_check {

enum class PositionKind { standard, relative_bias, rotary, none };

/// The one-layer transformer of docs/certificate-format.md, section "The network"; weights are
/// the float32 of the file, row major. Absent biases are zeros, other absent tensors are empty.
struct Network {
  std::size_t d_vocab = 0, d_vocab_out = 0, d_model = 0, d_head = 0, n_heads = 0;
  std::size_t d_mlp = 0;   ///< 0 for attn_only
  std::size_t window = 0;  ///< attention_window; 0 = all keys, contexts up to n_ctx
  std::size_t n_ctx = 0, rotary_dim = 0;
  PositionKind positions = PositionKind::relative_bias;
  ActKind act = ActKind::relu;
  bool normalised = false;           ///< LN1, LN2, LNfinal
  Interval scale, eps, rotary_base;  ///< attn_scale; the decimal of the file and its nearest double
  std::vector<float> W_E, W_pos, W_Q, W_K, W_V, W_O, b_Q, b_K, b_V, b_O, rel_bias;
  std::vector<float> W_in, b_in, W_out, b_out, W_U, b_U;
  std::vector<float> ln1_w, ln1_b, ln2_w, ln2_b, ln_final_w, ln_final_b;  ///< ones, zeros if LNPre

  [[nodiscard]] bool attn_only() const { return d_mlp == 0; }
  [[nodiscard]] bool standard() const { return positions == PositionKind::standard; }
  /// The family of section "Semantics": relu, relative bias alone, no LayerNorm, an MLP.
  [[nodiscard]] bool is_plain() const {
    return positions == PositionKind::relative_bias && act == ActKind::relu && !normalised &&
           !attn_only();
  }
  /// The number of keys a query may see at most: window, or n_ctx.
  [[nodiscard]] std::size_t span() const { return window == 0 ? n_ctx : window; }
  /// Contexts of n tokens exist: n_ctx binds with positions `standard` and without a window.
  [[nodiscard]] bool has_length(std::size_t n) const {
    return n >= 1 && ((window != 0 && !standard()) || n <= n_ctx);
  }
};

/// Anything but one layer of these families is refused with the reason. Throws Reject.
[[nodiscard]] Network read_network(const std::string& config, const std::string& config_file,
                                   std::string weights, const std::string& weights_file);

}  // namespace assay_check
