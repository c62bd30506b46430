#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/model/corpus.hpp"
#include "assay/model/tokenizer.hpp"

namespace assay::torch_bridge {

/// The tokens of one part of a corpus, documents one after another, and where each starts.
struct TokenText {
  std::vector<std::int64_t> tokens;
  std::vector<std::size_t> starts;  ///< one per document, and tokens.size() at the end
};

[[nodiscard]] TokenText tokenize(const std::vector<Document>& documents, Part part,
                                 const Tokenizer& tokenizer);

/// All windows of `length` consecutive tokens that lie inside one document, numbered.
class Windows {
 public:
  /// Keeps a reference to `text`. Throws InputError (with `what` naming the part) when no
  /// document is as long as `length`.
  Windows(const TokenText& text, std::size_t length, const std::string& what);

  [[nodiscard]] std::size_t count() const { return cumulative_.back(); }
  [[nodiscard]] std::size_t length() const { return length_; }
  /// Offset in the token stream of window `index` < count().
  [[nodiscard]] std::size_t start(std::size_t index) const;

  /// `n` windows drawn uniformly with replacement; a function of (seed, draw) alone, so that a
  /// resumed run draws what the straight run would have drawn. Row-major [n, length].
  [[nodiscard]] std::vector<std::int64_t> draw(std::size_t n, std::uint64_t seed,
                                               std::uint64_t draw) const;
  /// At most `n` windows spread evenly over the text: the fixed validation sample.
  [[nodiscard]] std::vector<std::int64_t> spread(std::size_t n) const;

 private:
  void append(std::size_t index, std::vector<std::int64_t>& rows) const;

  const TokenText& text_;
  std::size_t length_;
  std::vector<std::size_t> documents_;   ///< start of each document that is long enough
  std::vector<std::size_t> cumulative_;  ///< windows before each of them, then the total
};

/// One number from two, well mixed.
[[nodiscard]] std::uint64_t mix(std::uint64_t seed, std::uint64_t index);

/// A permutation of 0..n-1, a function of `seed`.
[[nodiscard]] std::vector<std::int64_t> permutation(std::size_t n, std::uint64_t seed);

}  // namespace assay::torch_bridge
