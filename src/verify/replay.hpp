#pragma once

#include <optional>
#include <string>
#include <vector>

#include "atoms.hpp"

namespace assay::verify {

/// What replaying one run gave.
struct Replay {
  std::optional<Violated> violated;
  std::string reason;  ///< why not, when not
};

/// WITNESS: each token surely in the decoder's support given all tokens before it, each atom of
/// the property off its threshold, and the progression of the formula false at the end. The run
/// is cut where it becomes false, and carried on with most likely tokens (up to max_new) while
/// it is doomed but not yet false.
[[nodiscard]] Replay replay(const CheckInput& input, const Atoms& atoms,
                            const spec::FormulaPtr& formula, const Sample& run);

}  // namespace assay::verify
