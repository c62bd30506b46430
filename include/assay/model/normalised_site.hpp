#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/model/tensor.hpp"

namespace assay {

enum class SiteNorm { layer_norm, rms_norm };

/// The output of one normalisation of a model of any depth: x = w ∘ s + b, where
///   LayerNorm  s = P y / sqrt(|P y|^2/d + eps), P y = y - mean(y)
///   RMSNorm    s = y / sqrt(|y|^2/d + eps)
/// and y is whatever the layers before it compute. Nothing of those layers is read.
struct NormalisedSite {
  std::string name;  ///< "ln_final", "blocks.N.ln1" or "blocks.N.ln2"
  SiteNorm norm = SiteNorm::layer_norm;
  bool affine = true;  ///< false for LNPre and RMSPre: w is ones, b is zeros
  std::size_t n_layers = 0, d_model = 0;
  std::vector<float> w, b;  ///< [d_model]
  Tensor W_U, b_U;          ///< [d_model, d_vocab_out], [d_vocab_out]; empty but for ln_final
  std::vector<std::string> ignored;  ///< tensors of the file that were not read
  Digest config_digest, weights_digest;

  [[nodiscard]] std::size_t vocabulary() const { return b_U.data.size(); }
};

/// Reads config.json and, of the one file model.safetensors, NAME.w, NAME.b and (for ln_final)
/// unembed.W_U and unembed.b_U. Shapes are checked against the config; a w or b that the
/// normalization_type does not have is refused. Throws InputError.
[[nodiscard]] NormalisedSite load_normalised_site(const std::filesystem::path& directory,
                                                  const std::string& name);

}  // namespace assay
