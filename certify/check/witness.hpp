#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay_check {

class Session;
struct Step;

/// P prompt N tokens, of LASSO with L loop: tokens that come again and again after the others.
struct Run {
  std::vector<std::size_t> prompt, tokens;
  std::size_t loop = 0;  ///< of the tokens, the last so many
};
[[nodiscard]] Run read_run(Session& session, const Step& step, bool loops);
/// The letter at each token after the prompt. Reject unless the decoder surely keeps every token, given all
/// before it, and every atom of `atoms` is decided at it.
[[nodiscard]] std::vector<std::uint64_t> played(Session& session, const Step& step, const Run& run,
                                                std::uint64_t atoms);
/// "prompt … then …, decoder …"
[[nodiscard]] std::string words_of(Session& session, const Run& run);

}  // namespace assay_check
