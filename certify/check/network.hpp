#pragma once

#include <string>
#include <vector>

#include "interval.hpp"

namespace assay_check {

/// The one-layer transformer of docs/certificate-format.md, section "Semantics"; weights are
/// the float32 of the file, row major. Absent biases are zeros.
struct Network {
  std::size_t d_vocab = 0, d_vocab_out = 0, d_model = 0, d_head = 0, n_heads = 0, d_mlp = 0;
  std::size_t window = 0;  ///< attention_window; 0 = all keys, contexts up to n_ctx
  std::size_t n_ctx = 0;
  Interval scale;  ///< attn_scale
  std::vector<float> W_E, W_Q, W_K, W_V, W_O, b_Q, b_K, b_V, b_O, rel_bias;
  std::vector<float> W_in, b_in, W_out, b_out, W_U, b_U;

  /// W_in[:, j]
  [[nodiscard]] std::vector<Interval> neuron_direction(std::size_t j) const;
  /// The number of keys a query may see at most: window, or n_ctx.
  [[nodiscard]] std::size_t span() const { return window == 0 ? n_ctx : window; }
};

/// Anything but one layer, relu, relative bias, no LayerNorm, with an MLP is refused with the
/// reason. Throws Reject.
[[nodiscard]] Network read_network(const std::string& config, const std::string& config_file,
                                   std::string weights, const std::string& weights_file);

}  // namespace assay_check
