#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "assay/erase/concept.hpp"
#include "assay/erase/rows.hpp"
#include "assay/model/sae.hpp"

namespace assay::erase {

/// Where the labels of tokens come from; exactly one of the four.
struct LabelSource {
  std::optional<Concept> rule;                ///< a built-in concept or a regular expression
  std::optional<std::string> token_class;     ///< digit, letter, upper, lower, space, punctuation
  std::optional<std::filesystem::path> file;  ///< JSON, see label_file
  std::optional<std::filesystem::path> sae;   ///< a dictionary's directory, with
  std::size_t feature = 0;                    ///< whose firing is the label
};

/// A file {"assay-labels": 1, "documents": {NAME: 0 | 1 | [[FROM, TO], …], …}}: a label of the whole document,
/// or the byte ranges [FROM, TO) that have it. Every document of the text must be named. Throws InputError.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> label_file(
    const std::filesystem::path& path, const std::vector<Document>& documents);

struct LabelledRows {
  Rows rows;
  std::string words;  ///< the source in words
  Digest digest;      ///< of the rule's words, of the label file, or of the dictionary's weights
};

/// Activations of a site with labels, windows of all documents (or of those of one part of the text, as erasing inside a
/// model divides it) chosen by seed, `most` tokens at most.
[[nodiscard]] LabelledRows label_rows(const Transformer& model, const Tokenizer& tokenizer,
                                      const std::string& hook, std::vector<Document> documents,
                                      const LabelSource& source, std::size_t most,
                                      std::uint64_t seed, std::optional<Part> part = {});

}  // namespace assay::erase
