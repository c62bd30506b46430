#pragma once

#include "assay/torch_bridge/options.hpp"
#include "assay/torch_bridge/run_log.hpp"

namespace assay::torch_bridge {

/// Trains a one-layer transformer on the fit documents of `options.text` and writes config.json,
/// model.safetensors, tokenizer.json, training.json and metrics.jsonl into `options.out`.
/// @pre resolve(options) was called. Throws InputError, UsageError.
[[nodiscard]] Outcome train_model(const ModelOptions& options);

/// Trains a sparse autoencoder on blocks.0.mlp.hook_post, or a transcoder from
/// blocks.0.hook_resid_mid to blocks.0.hook_mlp_out, and writes cfg.json, sae_weights.safetensors,
/// training.json and metrics.jsonl into `options.out`.
/// @pre resolve(options) was called. Throws InputError, UsageError.
[[nodiscard]] Outcome train_sae(const SaeOptions& options);

/// Compares LibTorch's float32 forward pass with the reference forward pass in double on
/// pseudo-random token sequences: the largest difference of a logit. `violated` above 1e-4
/// relative to the largest logit (at least 1).
[[nodiscard]] Outcome selftest(const std::filesystem::path& model, const std::string& device);

}  // namespace assay::torch_bridge
