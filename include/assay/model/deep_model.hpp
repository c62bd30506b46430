#pragma once

#include <filesystem>
#include <vector>

#include "assay/model/transformer.hpp"

namespace assay {

/// The weights of one block, shapes as in Transformer; what the configuration does not have is empty.
struct Block {
  Tensor W_Q, W_K, W_V, W_O, b_Q, b_K, b_V, b_O, rel_bias;
  Tensor W_in, b_in, W_out, b_out;
  Tensor ln1_w, ln1_b, ln2_w, ln2_b;
};

/// A decoder-only transformer of any depth in TransformerLens's layout, to be run: nothing is proved of more
/// than one layer but what reads a normalised site (normalised_site.hpp).
struct DeepModel {
  TransformerConfig config;  ///< n_layers as stated; norm is layer_norm for RMSNorm too
  bool rms = false;          ///< RMSNorm: no mean is taken off, no b
  Tensor W_E, W_pos, W_U, b_U, ln_final_w, ln_final_b;
  std::vector<Block> blocks;  ///< [n_layers]
  Digest config_digest, weights_digest;

  /// Positions that a context may have; 0: any number.
  [[nodiscard]] std::size_t longest() const;
};

/// Reads config.json and model.safetensors; every shape checked, unknown tensors refused, what changes the
/// function and is not supported refused by name. Throws InputError.
[[nodiscard]] DeepModel load_deep_model(const std::filesystem::path& directory);

}  // namespace assay
