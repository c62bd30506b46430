#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/certify/statement.hpp"
#include "assay/erase/change.hpp"
#include "assay/erase/eraser_file.hpp"
#include "assay/erase/fold.hpp"

namespace assay::certify {

/// Where a folded case keeps what its claims are about, among the evidence.
inline constexpr const char* kBeforeFolder = "before";
inline constexpr const char* kEraserFolder = "eraser";
inline constexpr const char* kSequences = "erasure/sequences.json";

inline constexpr const char* kFoldKind = "fold";
inline constexpr const char* kCostKind = "erasure-cost";

/// FOLDED  the subject's config.json and model.safetensors are, byte for byte, what folding the eraser into the base
///         model's weights gives: OBSERVED, exact. `evidence`: the files of base and eraser.
[[nodiscard]] Claim fold_claim(const erase::LoadedEraser& eraser, const Digest& base_weights,
                               const std::vector<std::string>& evidence);

/// What is different between the model that the fold gives and the subject's two files, or "".
/// Writes the fold into `scratch`. Throws Refusal.
[[nodiscard]] std::string fold_difference(const erase::Fold& fold, const Digest& config,
                                          const Digest& weights,
                                          const std::filesystem::path& scratch);

/// COST  mean next-token cross-entropy of base and subject on the listed sequences: OBSERVED.
[[nodiscard]] Claim cost_claim(const erase::LogitChange& change, const Digest& sequences);
[[nodiscard]] erase::LogitChange cost_of(const Transformer& base, const Transformer& subject,
                                         const std::vector<std::vector<TokenId>>& sequences);

[[nodiscard]] std::string sequences_json(const std::vector<std::vector<TokenId>>& sequences);
/// Throws InputError.
[[nodiscard]] std::vector<std::vector<TokenId>> parse_sequences(const std::string& json,
                                                                std::size_t vocabulary);

/// A claim that is asked of both models.
[[nodiscard]] bool is_asked_of_both(const Claim& claim);
/// Each such claim of the statement beside the one of the same id about the base model: a function of the claims.
[[nodiscard]] Table folded_table(const Statement& statement);
/// Why the claims about the base model are not the subject's, or "": other ids, formulas or sentences.
[[nodiscard]] std::string unlike_before(const Statement& statement);

}  // namespace assay::certify
