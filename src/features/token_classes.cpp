#include "assay/features/token_classes.hpp"

#include <array>

#include "assay/base/errors.hpp"

namespace assay::features {
namespace {

constexpr std::array<const char*, 12> kNames = {"digit",   "lower", "upper",       "space",
                                                "newline", "less",  "greater",     "slash",
                                                "equals",  "quote", "punctuation", "unknown"};

std::size_t index_of(const std::string& text) {
  if (text.size() != 1) {
    return 11;
  }
  const char c = text[0];
  if (c >= '0' && c <= '9') {
    return 0;
  }
  if (c >= 'a' && c <= 'z') {
    return 1;
  }
  if (c >= 'A' && c <= 'Z') {
    return 2;
  }
  switch (c) {
    case ' ':
    case '\t':
      return 3;
    case '\n':
    case '\r':
      return 4;
    case '<':
      return 5;
    case '>':
      return 6;
    case '/':
      return 7;
    case '=':
      return 8;
    case '"':
    case '\'':
      return 9;
    default:
      return c > 0x20 && c < 0x7F ? 10 : 11;
  }
}

}  // namespace

std::vector<NamedTokens> standard_classes(const Tokenizer& tokenizer) {
  std::array<std::vector<TokenId>, kNames.size()> members;
  for (std::size_t t = 0; t < tokenizer.size(); ++t) {
    members[index_of(tokenizer.text(TokenId(t)))].emplace_back(t);
  }
  std::vector<NamedTokens> classes;
  for (std::size_t c = 0; c < kNames.size(); ++c) {
    if (!members[c].empty()) {
      classes.push_back({kNames[c], std::move(members[c])});
    }
  }
  return classes;
}

std::vector<NamedTokens> single_class(std::size_t vocabulary) {
  NamedTokens all{"token", {}};
  for (std::size_t t = 0; t < vocabulary; ++t) {
    all.tokens.emplace_back(t);
  }
  return {std::move(all)};
}

std::vector<std::size_t> class_of_token(const std::vector<NamedTokens>& classes,
                                        std::size_t vocabulary) {
  std::vector<std::size_t> of(vocabulary, classes.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (const TokenId token : classes[c].tokens) {
      require(token.at() < vocabulary && of[token.at()] == classes.size(),
              "token classes: a token outside the vocabulary or in two classes");
      of[token.at()] = c;
    }
  }
  for (const std::size_t c : of) {
    require(c < classes.size(), "token classes: a token without a class");
  }
  return of;
}

}  // namespace assay::features
