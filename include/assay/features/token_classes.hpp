#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/tokenizer.hpp"

namespace assay::features {

/// A set of tokens with a name, tokens ascending.
struct NamedTokens {
  std::string name;
  std::vector<TokenId> tokens;
};

/// The standard token classes, a partition of the vocabulary, in this order, empty ones left out:
///   digit lower upper space newline less greater slash equals quote punctuation unknown
/// by each token's text: the class of its only byte; "unknown" is any other text (bytes outside
/// ASCII, the unknown token, texts of several characters). space = ' ' and tab, newline = LF and
/// CR, quote = " and ', punctuation = every other printable ASCII character.
[[nodiscard]] std::vector<NamedTokens> standard_classes(const Tokenizer& tokenizer);

/// A vocabulary without texts: the single class "token" of all `vocabulary` ids.
[[nodiscard]] std::vector<NamedTokens> single_class(std::size_t vocabulary);

/// Of each token the index of its class; `classes` must be a partition of 0 … vocabulary-1.
/// Throws PreconditionError when it is not.
[[nodiscard]] std::vector<std::size_t> class_of_token(const std::vector<NamedTokens>& classes,
                                                      std::size_t vocabulary);

}  // namespace assay::features
