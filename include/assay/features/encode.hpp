#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"

namespace assay::features {

using Sequences = std::vector<std::vector<TokenId>>;

/// Throws InputError unless the SAE's sites are sites of this model with the SAE's widths.
void check_fits(const Transformer& model, const Sae& sae);

/// The documents of one part, cut into consecutive sequences of n_ctx tokens (at most 256 when
/// n_ctx is larger); a rest shorter than two tokens is dropped. Sequences are taken evenly over
/// all documents: when the part holds more than `max_tokens`, every k-th sequence is kept.
/// Throws InputError when nothing is left.
[[nodiscard]] Sequences part_sequences(const Transformer& model, const Tokenizer& tokenizer,
                                       const std::vector<Document>& documents, Part part,
                                       std::size_t max_tokens);
[[nodiscard]] std::size_t token_count(const Sequences& sequences);

/// Encoder pre-activations of every position: [n, d_sae].
[[nodiscard]] Matrix pre_activations_of(const Transformer& model, const Sae& sae,
                                        std::span<const TokenId> tokens);
/// Feature values (0 when off): [n, d_sae].
[[nodiscard]] Matrix feature_values(const Transformer& model, const Sae& sae,
                                    std::span<const TokenId> tokens);

}  // namespace assay::features
