#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/base/counter_random.hpp"
#include "assay/base/digest.hpp"
#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A distribution over prompts:
///   {"tokens":[[IDS],…]}              each position uniformly from its set, independently
///   {"any":true,"max_length":N}       a length uniformly from 1 to N, then each token uniformly
///   {"list":[[IDS],…]} and, or not, "weights":[W,…]   one of the list, with probability W / ΣW
class PromptLaw {
 public:
  /// Throws UsageError for an empty set and tokens that the model does not have; InputError for broken JSON.
  [[nodiscard]] static PromptLaw parse(const std::string& json, const std::string& file,
                                       std::size_t vocabulary);

  /// The prompt of one run: a function of seed and run alone.
  [[nodiscard]] std::vector<TokenId> draw(const CounterRandom& random, std::uint64_t run) const;
  [[nodiscard]] std::string words() const;  ///< the distribution, in one sentence
  [[nodiscard]] const Digest& digest() const { return digest_; }  ///< of the file's bytes
  [[nodiscard]] std::size_t longest() const;

 private:
  PromptSet set_;
  std::size_t vocabulary_ = 0;
  std::vector<std::vector<TokenId>> list_;  ///< empty: set_
  std::vector<std::uint64_t> ends_;         ///< sums of the weights
  Digest digest_;
};

}  // namespace assay::verify
