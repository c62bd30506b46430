#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/transformer.hpp"

namespace assay::bounds {

/// Tokens allowed at one position: rising, without repetition, never empty.
using TokenSet = std::vector<TokenId>;

/// The contexts that a bound speaks of: every token sequence of min_length … max_length tokens
/// whose last tokens lie in `last`, position by position (the last set holds the query), and
/// whose earlier tokens lie in `rest`. Contexts are the tokens the model reads, BOS included.
struct Domain {
  std::vector<TokenSet> last;  ///< oldest first; last.back() is the query's set
  TokenSet rest;               ///< of every earlier position
  std::size_t min_length = 0;
  std::size_t max_length = 0;
  bool any_length = false;  ///< every length >= min_length; max_length then covers the window

  /// The set of the token `back` positions before the query (0: the query).
  [[nodiscard]] const TokenSet& back(std::size_t back) const {
    return back < last.size() ? last[last.size() - 1 - back] : rest;
  }
  auto operator<=>(const Domain&) const = default;
};

/// One set per position, the last one the query's: contexts of exactly that length.
[[nodiscard]] Domain fixed_domain(const std::vector<std::vector<std::uint32_t>>& sets);
/// Every context of at most `max_length` tokens that ends in `suffix`.
[[nodiscard]] Domain suffix_domain(const Transformer& model,
                                   const std::vector<std::uint32_t>& suffix,
                                   std::size_t max_length);
/// Every context of any length that ends in `suffix`; needs a window and no absolute positions.
[[nodiscard]] Domain any_length_domain(const Transformer& model,
                                       const std::vector<std::uint32_t>& suffix);

/// Throws InputError naming the field: an empty set (the claim would be vacuous), a token out of
/// the vocabulary, more positions than the model was built for.
void check_domain(const Transformer& model, const Domain& domain);

/// The longest context that a claim may speak of: n_ctx, or 0 (no limit) with a window and no
/// absolute positions. Without a window longer contexts are beyond the trained range.
[[nodiscard]] std::size_t longest_context(const Transformer& model);

/// "*", or runs "0-9,12" (docs/certificate-format.md, SET).
[[nodiscard]] std::string set_text(const TokenSet& set, std::size_t vocabulary);

}  // namespace assay::bounds
