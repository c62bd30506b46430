#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "emission.hpp"
#include "letters.hpp"

namespace assay_check {

/// The probability that a token comes next, of 2^-40, rounded outward (rule_chain_window.cpp).
struct TokenChance {
  std::uint32_t token = 0;
  std::uint64_t lo = 0, hi = 0;
};
[[nodiscard]] std::vector<TokenChance> chances_of(const Emission& decoder,
                                                  const std::vector<Interval>& logits,
                                                  const std::vector<Kept>& kept);

/// What the model does at the end of every context that ends in this window.
struct WindowFacts {
  std::vector<std::uint32_t> possible;  ///< tokens that the decoder does not surely drop
  Letter letter;                        ///< read at the last token
  std::vector<TokenChance> chances;     ///< of the possible tokens, once they are wanted
};

inline constexpr std::size_t kMaxWindowPairs =
    4'000'000;  ///< of one WINDOWS set, and ends of prompts

/// A pair (window, state of a monitor) of WINDOWS lines, and its number: a step or a rank.
struct NumberedPair {
  std::uint64_t window = 0;
  std::size_t q = 0, number = 0;
  friend bool operator<(const NumberedPair& a, const NumberedPair& b) {
    return a.window != b.window ? a.window < b.window : a.q < b.q;
  }
};

/// PAIR eID : q k TOKEN …
struct PairValue {
  std::uint64_t window = 0, value = 0;
  std::size_t q = 0;
};

/// Windows as numbers (base d_vocab + 1, digit = token + 1, the last token lowest) and what was
/// evaluated of them.
class Windows {
 public:
  explicit Windows(Session& session);

  [[nodiscard]] std::uint64_t code(const std::vector<std::uint32_t>& tokens) const;
  [[nodiscard]] std::uint64_t append(std::uint64_t window, std::uint64_t token) const {
    return window % keep_ * base_ + token + 1;
  }
  [[nodiscard]] std::size_t last(std::uint64_t window) const {
    return static_cast<std::size_t>(window % base_) - 1;
  }
  /// Evaluates the window unless it is known. Reject over the limit.
  [[nodiscard]] const WindowFacts& at(std::uint64_t window, const Step& step);
  /// From now on letters are about these atoms.
  void read_atoms(std::uint64_t atoms);
  /// From now on chances are read too.
  void read_chances();
  [[nodiscard]] Letter letter(std::uint64_t window, const Step& step);

  std::map<std::string, std::vector<NumberedPair>, std::less<>> pairs;  ///< by the id of the DFA
  std::map<std::string, std::vector<PairValue>, std::less<>> values;    ///< PAIR lines, likewise

 private:
  Session& session_;
  Forward forward_;
  std::uint64_t base_, keep_ = 1, atoms_ = 0;
  bool wants_chances_ = false;
  std::unordered_map<std::uint64_t, WindowFacts> known_;
};

}  // namespace assay_check
