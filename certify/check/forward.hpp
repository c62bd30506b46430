#pragma once

#include <span>
#include <string>
#include <vector>

#include "attention.hpp"

namespace assay_check {

/// Enclosures of every value at one position of a concrete token sequence.
struct Position {
  std::vector<Interval> mid, pre, post, mlp_out, resid_post, logits;

  /// The value of a hook by its TransformerLens name; throws Reject on another name.
  [[nodiscard]] const std::vector<Interval>& hook(const std::string& name) const;
};

/// Evaluates the last position of `context` (section "Semantics"; window or full attention).
[[nodiscard]] Position evaluate(Attention& attention, std::span<const std::size_t> context);

}  // namespace assay_check
