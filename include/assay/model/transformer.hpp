#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "assay/base/digest.hpp"
#include "assay/model/tensor.hpp"

namespace assay {

enum class ActFn { relu, gelu_erf, gelu_tanh };  ///< "relu", "gelu", "gelu_new"
enum class PosKind {
  standard,
  relative,
  rotary,
  none
};                                         ///< "standard", "relative_bias", "rotary", "none"
enum class NormKind { none, layer_norm };  ///< null; "LN" or "LNPre"

/// config.json: TransformerLens keys, and ours (attention_window, relative_bias, eps,
/// rotary_dim, rotary_base, attn_scale, bos). Unknown keys are ignored, wrong types refused.
struct TransformerConfig {
  std::size_t n_layers = 1;  ///< only 1 is executed here; another number is refused by name
  std::size_t d_model = 0;
  std::size_t n_ctx = 0;
  std::size_t d_head = 0;
  std::size_t n_heads = 0;
  std::size_t d_mlp = 0;
  std::size_t d_vocab = 0;
  std::size_t d_vocab_out = 0;
  ActFn act_fn = ActFn::relu;
  NormKind norm = NormKind::none;
  bool norm_affine = true;  ///< "LN"; false is "LNPre", layer_norm without w and b
  bool attn_only = false;
  PosKind positions = PosKind::relative;
  std::size_t attention_window = 0;  ///< w: the query and the w-1 tokens before it; 0 = full
  bool relative_bias = false;        ///< blocks.0.attn.rel_bias present
  double eps = 1e-5;
  std::size_t rotary_dim = 0;
  double rotary_base = 10000;
  double attn_scale = 0;  ///< scores are divided by it; default sqrt(d_head)
  std::optional<std::size_t> bos;
};

/// One-layer decoder-only transformer, weights exactly as stored. Shapes (row vectors,
/// weights multiply on the right): W_E [V,d], W_pos [ctx,d], W_Q/W_K/W_V [H,d,dh],
/// b_Q/b_K/b_V [H,dh], W_O [H,dh,d], b_O [d], rel_bias [H,window or ctx], W_in [d,f],
/// b_in [f], W_out [f,d], b_out [d], W_U [d,Vo], b_U [Vo], ln1/ln2/ln_final w,b [d].
/// An absent optional tensor (W_pos, rel_bias, ln*) is empty; an absent bias is zeros.
struct Transformer {
  TransformerConfig config;
  Tensor W_E, W_pos;
  Tensor W_Q, W_K, W_V, W_O, b_Q, b_K, b_V, b_O, rel_bias;
  Tensor W_in, b_in, W_out, b_out;
  Tensor W_U, b_U;
  Tensor ln1_w, ln1_b, ln2_w, ln2_b, ln_final_w, ln_final_b;
  Digest config_digest, weights_digest;

  /// Number of keys that the query at position `n` (0-based) sees.
  [[nodiscard]] std::size_t keys_seen(std::size_t n) const {
    const std::size_t w = config.attention_window;
    return w == 0 || n + 1 < w ? n + 1 : w;
  }
};

[[nodiscard]] TransformerConfig parse_config(const std::string& json, const std::string& file);
[[nodiscard]] std::string config_json(const TransformerConfig& config);

/// Reads config.json and model.safetensors; every shape checked against the config, unknown
/// tensors refused. Throws InputError.
[[nodiscard]] Transformer load_transformer(const std::filesystem::path& directory);
/// Writes both files, deterministic bytes.
void save_transformer(const std::filesystem::path& directory, const Transformer& model);

}  // namespace assay
