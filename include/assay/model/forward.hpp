#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/transformer.hpp"

namespace assay {

/// Row-major double matrix; what the reference forward pass computes in.
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> data;

  [[nodiscard]] double at(std::size_t r, std::size_t c) const { return data[r * cols + c]; }
  double& at(std::size_t r, std::size_t c) { return data[r * cols + c]; }
  [[nodiscard]] std::span<const double> row(std::size_t r) const {
    return {data.data() + r * cols, cols};
  }
};

/// Hook names, TransformerLens's, verbatim.
inline constexpr const char* kHookResidPre = "blocks.0.hook_resid_pre";
inline constexpr const char* kHookResidMid = "blocks.0.hook_resid_mid";
inline constexpr const char* kHookMlpPre = "blocks.0.mlp.hook_pre";
inline constexpr const char* kHookMlpPost = "blocks.0.mlp.hook_post";
inline constexpr const char* kHookMlpOut = "blocks.0.hook_mlp_out";
inline constexpr const char* kHookResidPost = "blocks.0.hook_resid_post";
inline constexpr const char* kHookAttnOut = "blocks.0.hook_attn_out";

[[nodiscard]] bool is_known_hook(const std::string& name);
/// Throws UsageError listing the known hooks when `name` is none of them.
void check_hook_name(const std::string& name);

/// What a hook's value is replaced by before the model goes on: in place, [n, width].
using Replacement = void (*)(Matrix& value, const void* context);
struct Splice {
  std::string hook;  ///< any of the hooks above; what was there is gone for all that comes after
  Replacement replace = nullptr;
  const void* context = nullptr;
};

struct ForwardPass {
  Matrix logits;                        ///< [n, d_vocab_out]
  std::map<std::string, Matrix> hooks;  ///< [n, width], after any splice
};

/// The reference forward pass of the model on one sequence, in double from the stored float32
/// weights (the REAL semantics up to double rounding; tested against LibTorch's float32).
/// @pre every token < d_vocab; with absolute positions n <= n_ctx. Throws InputError.
[[nodiscard]] ForwardPass forward(const Transformer& model, std::span<const TokenId> tokens,
                                  std::span<const std::string> hooks = {},
                                  const Splice* splice = nullptr);

/// Logits after the last token only: [d_vocab_out]. Same arithmetic, cheaper for sampling.
[[nodiscard]] std::vector<double> next_logits(const Transformer& model,
                                              std::span<const TokenId> context);

}  // namespace assay
