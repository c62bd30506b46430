#pragma once

#include <filesystem>
#include <string>

#include "assay/base/digest.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/tensor.hpp"

namespace assay {

/// A sparse autoencoder or transcoder in the SAELens layout (cfg.json + sae_weights.safetensors):
/// W_enc [d_in,m], b_enc [m], W_dec [m,d_out], b_dec [d_out], threshold [m] (zeros for ReLU).
///   pre = (x - b_dec * apply_b_dec_to_input) W_enc + b_enc
///   feature i is off iff pre_i <= threshold_i; its value is then 0, else pre_i
/// (for the ReLU architecture threshold = 0, which is relu). "topk" keeps the k largest pre-activations
/// of a token, then those above 0; a tie for the k-th place goes to the lower index here (torch.topk
/// leaves it open, so a proof takes neither side).
struct Sae {
  std::string
      architecture;   ///< "standard", "jumprelu", "topk", "transcoder", "jumprelu_transcoder"
  std::size_t k = 0;  ///< of "topk"; else 0
  bool apply_b_dec_to_input = true;
  std::string hook_name;      ///< input site
  std::string hook_name_out;  ///< output site; equals hook_name unless a transcoder
  std::size_t d_in = 0, d_sae = 0, d_out = 0;
  Tensor W_enc, b_enc, W_dec, b_dec, threshold;
  Digest config_digest, weights_digest;

  [[nodiscard]] bool is_transcoder() const { return hook_name != hook_name_out; }
  [[nodiscard]] bool is_top_k() const { return k != 0; }
};

/// Fail-closed: any other architecture, normalisation, unknown tensor, wrong shape, NaN or
/// negative threshold is refused by name. Throws InputError.
[[nodiscard]] Sae load_sae(const std::filesystem::path& directory);
void save_sae(const std::filesystem::path& directory, const Sae& sae);

/// [n, d_in] -> encoder pre-activations [n, d_sae], in double.
[[nodiscard]] Matrix pre_activations(const Sae& sae, const Matrix& x);
/// Throws InputError for an encoder whose features do not each have a threshold of their own (topk).
void need_thresholds(const Sae& sae);
/// Pre-activations -> feature values (0 when off), in place.
void apply_activation(const Sae& sae, Matrix& pre);
/// Feature values [n, d_sae] -> reconstruction [n, d_out].
[[nodiscard]] Matrix decode(const Sae& sae, const Matrix& features);

}  // namespace assay
