#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/features/encode.hpp"
#include "assay/features/token_classes.hpp"

namespace assay::features {

/// One place where a feature is on.
struct Firing {
  std::uint32_t sequence = 0, position = 0;
  double value = 0;
};

/// What a token looks like on one line: its text made visible, or "#ID" without a tokenizer.
[[nodiscard]] std::string token_text(const Tokenizer* tokenizer, TokenId token);

/// What the names are drawn from.
struct NameSource {
  const Sequences& sequences;
  const Tokenizer* tokenizer;
  const std::vector<NamedTokens>& classes;
  const std::vector<std::size_t>& class_of;
};

/// The first that applies: the token string (up to 8) that at least half of the firings end in;
/// the class of at least 60 % of the firing tokens; the string that at least half of them directly
/// follow; the class that at least 60 % of them follow; "mixed" and the two most frequent tokens.
/// A string is extended to the left while at least 80 % of what matches has the same token there.
struct FeatureName {
  std::string text;
  double f1 = 0;  ///< of "on" as a detector of the named string or class; 0 for "mixed"
};
[[nodiscard]] FeatureName feature_name(const std::vector<Firing>& firings,
                                       const NameSource& source);

}  // namespace assay::features
