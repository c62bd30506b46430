#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"
#include "named_files.hpp"

namespace assay::cli {

/// What --model and --sae name.
struct ModelFiles {
  Transformer model;
  std::optional<Sae> sae;
  std::optional<Tokenizer> tokenizer;

  ModelFiles(const std::string& model_directory, const std::string& sae_directory)
      : model(load_transformer(model_directory)),
        sae(sae_directory.empty() ? std::nullopt : std::optional(load_sae(sae_directory))),
        tokenizer(load_tokenizer(model_directory)) {}

  [[nodiscard]] const Sae* sae_or_null() const { return sae ? &*sae : nullptr; }
};

/// The fit and held-out parts of --text, document by document; empty without one.
struct TextParts {
  std::vector<std::vector<TokenId>> fit, held_out;

  TextParts(const std::string& text, const std::optional<Tokenizer>& tokenizer,
            const std::string& model_directory) {
    if (text.empty()) {
      return;
    }
    if (!tokenizer) {
      throw UsageError("--text needs tokenizer.json in " + model_directory);
    }
    const std::vector<Document> documents = load_corpus(text);
    fit = encode_part(documents, Part::fit, *tokenizer);
    held_out = encode_part(documents, Part::held_out, *tokenizer);
  }
};

}  // namespace assay::cli
