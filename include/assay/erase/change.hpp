#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "assay/model/forward.hpp"

namespace assay::erase {

/// What one model's predictions are beside another's, over the predicted tokens of listed sequences.
/// Mean and largest values are OBSERVED. With D = the difference of the logits at a token and
/// range(D) = max D - min D (docs/theorems.md, "What a change of logits costs"):
///   KL(before || after) <= range(D)^2 / 8      TV <= tanh(range(D) / 4)
///   the likeliest token stays where its lead is more than range(D)
struct LogitChange {
  std::size_t tokens = 0;     ///< positions whose logits are compared
  std::size_t predicted = 0;  ///< of them, those with a next token
  double ce_before = 0;       ///< mean next-token cross-entropy, nats
  double ce_after = 0;
  double mean_kl = 0, max_kl = 0;  ///< KL(before || after), nats
  double max_tv = 0;
  std::size_t top_changed = 0;  ///< positions whose likeliest token is another one
  double max_difference = 0;    ///< largest |logit difference|
  double max_range = 0;         ///< largest range(D)
  double mean_kl_bound = 0;     ///< mean of range(D)^2 / 8
};

using LogitsOf = std::function<Matrix(const std::vector<TokenId>&)>;

/// @pre both give logits of the same shape. Throws InputError when no token is predicted.
[[nodiscard]] LogitChange measure_change(const std::vector<std::vector<TokenId>>& sequences,
                                         const LogitsOf& before, const LogitsOf& after);

}  // namespace assay::erase
