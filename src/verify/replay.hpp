#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atoms.hpp"

namespace assay::verify {

/// What replaying one run gave.
struct Replay {
  std::optional<Violated> violated;
  std::string reason;  ///< why not, when not
};

/// A run to be replayed, and the decoder as a test of one step.
struct Candidate {
  std::vector<TokenId> prompt, tokens;
  std::size_t max_new = 0;
  std::function<bool(std::span<const Interval> logits, TokenId token)> surely_emitted;
  bool is_endless = false;  ///< played to its last token; what it violates is shown elsewhere
};

/// WITNESS: each token surely in the decoder's support given all tokens before it, each atom of
/// the property off its threshold, and the progression of the formula false at the end. The run
/// is cut where it becomes false, and carried on with most likely tokens (up to max_new) while
/// it is doomed but not yet false.
[[nodiscard]] Replay replay(const CheckInput& input, const Atoms& atoms,
                            const spec::FormulaPtr& formula, const Candidate& run);
/// The same for a run from one of the fitted automaton's prompts under its decoder.
[[nodiscard]] Replay replay(const CheckInput& input, const Atoms& atoms,
                            const spec::FormulaPtr& formula, const Sample& run);

}  // namespace assay::verify
