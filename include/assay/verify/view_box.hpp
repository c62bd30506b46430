#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/base/index.hpp"

namespace assay::verify {

/// A set of tokens.
class TokenBits {
 public:
  TokenBits() = default;
  explicit TokenBits(std::size_t vocabulary, bool full = false);

  [[nodiscard]] bool test(std::size_t token) const {
    return ((words_[token / 64] >> (token % 64)) & 1U) != 0;
  }
  void set(std::size_t token) { words_[token / 64] |= std::uint64_t{1} << (token % 64); }
  [[nodiscard]] std::size_t vocabulary() const { return vocabulary_; }
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] bool is_full() const { return count() == vocabulary_; }
  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool within(const TokenBits& other) const;
  [[nodiscard]] bool meets(const TokenBits& other) const;
  [[nodiscard]] TokenBits operator&(const TokenBits& other) const;
  [[nodiscard]] TokenBits operator|(const TokenBits& other) const;
  [[nodiscard]] TokenBits minus(const TokenBits& other) const;
  [[nodiscard]] std::vector<TokenId> tokens() const;  ///< ascending
  bool operator==(const TokenBits&) const = default;

 private:
  std::size_t vocabulary_ = 0;
  std::vector<std::uint64_t> words_;
};

/// A set of views: the last min(n, w) tokens of contexts of n tokens, lo <= min(n, w) <= hi, the token j back in back[j].
/// Positions from `lo` on, which a view may lack, have every token.
struct ViewBox {
  std::size_t lo = 1, hi = 0;
  std::vector<TokenBits> back;  ///< [w]
  bool operator==(const ViewBox&) const = default;
};

}  // namespace assay::verify
