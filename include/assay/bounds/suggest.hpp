#pragma once

#include <cstddef>
#include <vector>

#include "assay/bounds/prove.hpp"

namespace assay::bounds {

/// What `suggest` may choose from.
struct SuggestOptions {
  std::size_t claims = 4;  ///< of each kind
  std::size_t known = 3;   ///< tokens of the suffix
  bool honest = false;     ///< add one claim that is violated or unknown, when one is met
  Decoder decoder;
};

struct Suggestion {
  Request request;
  std::vector<ClaimResult> results;  ///< of every claim of the request, in order
};

/// Proposes claims from data: suffixes are the most frequent ones of the held-out text, features
/// are live ones (on in 0.2 % to 50 % of the sampled fit positions) that were never on after the
/// suffix there, next tokens are such as "<" after "<", a digit or a space after "</", and
/// frequent tokens never seen after the suffix. Keeps those that `prove` proves. Deterministic.
/// `fit` and `held_out` are token documents. Throws InputError when no suffix occurs.
[[nodiscard]] Suggestion suggest(const Transformer& model, const Sae* sae,
                                 const std::vector<std::vector<TokenId>>& fit,
                                 const std::vector<std::vector<TokenId>>& held_out,
                                 const AttackText& text, const SuggestOptions& options);

}  // namespace assay::bounds
