#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "assay/model/deep_model.hpp"
#include "assay/model/sampling.hpp"

namespace assay {

/// The reference forward pass of a model of any depth over many sequences at once, token by token, keys and values
/// kept: in double from the stored float32 weights. A sequence's bits do not depend on the ones beside it (dense.hpp), nor on
/// how its tokens were fed. The model must outlive it.
class Generation : public TokenEngine {
 public:
  Generation(const DeepModel& model, std::size_t sequences);

  /// Appends tokens[i] to sequence rows[i], each row at most once; [rows, d_vocab_out].
  /// @pre every token < d_vocab, the sequence stays within model.longest().
  [[nodiscard]] Matrix append(std::span<const std::size_t> rows,
                              std::span<const TokenId> tokens) override;
  [[nodiscard]] std::vector<double> alone(std::span<const TokenId> /*context*/) override { return {}; }

 private:
  struct Memory {
    std::vector<double> keys, values;  ///< [length, heads * d_head]
  };
  void attend(std::size_t layer, std::span<const std::size_t> rows, const Matrix& x, Matrix& z);
  [[nodiscard]] Matrix attention(std::size_t layer, std::span<const std::size_t> rows,
                                 const Matrix& x);

  const DeepModel& model_;
  std::vector<std::size_t> lengths_;
  std::vector<std::vector<Memory>> memory_;  ///< [sequences][layers]
};

/// Logits after the last token of one context. @pre as above
[[nodiscard]] std::vector<double> next_logits(const DeepModel& model,
                                              std::span<const TokenId> context);

}  // namespace assay
