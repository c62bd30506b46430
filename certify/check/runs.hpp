#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain.hpp"
#include "emission.hpp"
#include "network.hpp"

namespace assay_check {

/// The statement `assay-runs 1`: which runs a claim of kind exact is about.
struct Runs {
  Emission emission;
  std::vector<TokenSet> sets;          ///< the prompts are the product of these; empty: any
  std::size_t max_length = 0;          ///< any: every prompt of 1 to this many tokens
  std::optional<std::size_t> max_new;  ///< none: runs of any length
  std::string words;                   ///< for the conclusion

  [[nodiscard]] bool is_prompt(const std::vector<std::size_t>& tokens) const;
  /// Calls `visit` with every different list of the last `window` tokens of a prompt, oldest first.
  void for_each_end(std::size_t window, std::size_t d_vocab,
                    const std::function<void(const std::vector<std::uint32_t>&)>& visit) const;
};

/// The family of claims about every run: what happens at a token depends on the last `window` tokens alone.
[[nodiscard]] bool has_plain_windows(const Network& net);
/// Reject unless it is so, and d_vocab_out = d_vocab.
void need_plain_windows(const Network& net);

[[nodiscard]] Runs parse_runs(const std::string& text, const std::string& file,
                              std::size_t d_vocab);

}  // namespace assay_check
