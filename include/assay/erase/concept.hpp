#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/model/corpus.hpp"

namespace assay::erase {

/// A binary concept of tokens, given by a labelling program: the rule marks byte ranges of a
/// document's text, and token t is labelled 1 iff byte t + shift is marked (0 past the end).
/// One token is one byte, as in both tokenizers.
struct Concept {
  enum class Kind { digit, url, email, regex };
  std::string name;
  Kind kind = Kind::digit;
  std::string pattern;    ///< ECMAScript, for Kind::regex
  std::size_t shift = 0;  ///< 1 = "the next token is in the concept"

  /// The labelling program in words; its digest is what a report names.
  [[nodiscard]] std::string rule() const;
  [[nodiscard]] Digest digest() const { return sha256(rule()); }
};

/// Built-in `digit`, `url`, `email`, each with `next-` before it for shift 1; with `pattern`
/// not empty, that regular expression under the given name. Throws UsageError for a name that
/// is not an ID of the certificate grammar, an unknown concept or a bad expression.
[[nodiscard]] Concept make_concept(const std::string& name, const std::string& pattern = "",
                                   std::size_t shift = 0);

/// One label a byte of `text`: [size] of 0/1. Lines are matched one by one, and a line longer
/// than 4096 bytes piece by piece, so that no input makes the matcher recurse without bound.
[[nodiscard]] std::vector<std::uint8_t> label(const Concept& labelled, std::string_view text);

struct ConceptCount {
  std::size_t tokens = 0;     ///< all tokens
  std::size_t positive = 0;   ///< labelled 1
  std::size_t documents = 0;  ///< documents with at least one
};
[[nodiscard]] ConceptCount count(const Concept& labelled, const std::vector<Document>& documents);

/// A concept of e-mail addresses is only measured on text that has this many.
inline constexpr std::size_t kMinEmailTokens = 2000;
inline constexpr std::size_t kMinEmailDocuments = 200;

/// Copies of the documents with synthetic addresses (names from syllables, hosts under the
/// reserved domains of RFC 2606) written over the space nearest after every 400 to 799 bytes;
/// at least one a document that has a space. Deterministic in seed, name and text.
[[nodiscard]] std::vector<Document> plant_emails(const std::vector<Document>& documents,
                                                 std::uint64_t seed);

}  // namespace assay::erase
