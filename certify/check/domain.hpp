#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay_check {

/// The tokens of a position, rising; never empty.
using TokenSet = std::vector<std::uint32_t>;
using SetPointer = std::shared_ptr<const TokenSet>;

/// SET as written: `*`, or runs A, A-B, rising, disjoint, not adjacent.
struct SetText {
  bool all = false;
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  /// Throws Reject when a token is not below d_vocab.
  [[nodiscard]] TokenSet tokens(std::size_t d_vocab) const;
};

/// lengths lo hi|any sets K SET … rest SET
struct Domain {
  std::size_t lo = 0, hi = 0;  ///< hi = 0: any
  std::vector<SetText> last;   ///< in the order of the text: the query's set is the last one
  SetText rest;
  std::string words;  ///< for the statement
};

[[nodiscard]] SetText parse_set(std::string_view word);
/// What follows the id of a `domain` line.
[[nodiscard]] Domain parse_domain(std::span<const std::string_view> words);

}  // namespace assay_check
