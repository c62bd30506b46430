#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "assay/features/encode.hpp"
#include "assay/features/token_classes.hpp"

namespace assay::features {

/// One place where a feature fires, as text (ids "12 7" when the model has no tokenizer).
struct Context {
  std::string left, token, right;
  double value = 0;
};

/// How well "on" detects one standard token class.
struct ClassScore {
  std::string name;
  double precision = 0, recall = 0, f1 = 0;
};

struct TokenShare {
  TokenId token;
  std::uint64_t count = 0;
  double share = 0;  ///< of the feature's firings
};

struct PromotedToken {
  TokenId token;
  double weight = 0;  ///< direct logit weight, mean over the vocabulary removed
};

/// What a person needs to see to say what a feature does. Everything here is OBSERVED.
struct FeatureCard {
  FeatureId feature;
  std::string name;    ///< by rule, from the token list: docs/metrics.md, "feature names"
  double name_f1 = 0;  ///< how well "on" detects what the name says; 0 for "mixed"
  std::uint64_t count = 0;
  double density = 0;  ///< count / tokens
  double mean_on = 0;  ///< mean value where on
  double maximum = 0;
  double p99 = 0;                       ///< 99th percentile of the values where on (nearest rank)
  std::vector<Context> contexts;        ///< highest values, one per distinct text
  std::vector<TokenShare> tokens;       ///< most frequent first
  std::vector<ClassScore> classes;      ///< every standard class it ever fires in, best F1 first
  std::vector<PromotedToken> promotes;  ///< highest direct logit weights
};

struct CardSet {
  std::uint64_t tokens = 0;
  std::uint64_t live = 0;          ///< features that fired at least once
  std::vector<FeatureCard> cards;  ///< by density, densest first, then id

  /// nullptr when the feature has no card.
  [[nodiscard]] const FeatureCard* find(FeatureId feature) const;
};

struct CardOptions {
  std::size_t top = 200;  ///< cards kept (densest live features); 0 = all live
  std::size_t contexts = 8;
  std::size_t window = 24;  ///< characters (tokens) of text on the left; half of it on the right
  std::size_t promoted = 6;
  std::size_t token_list = 10;
};

/// `tokenizer` may be nullptr.
[[nodiscard]] CardSet make_cards(const Transformer& model, const Sae& sae,
                                 const Tokenizer* tokenizer, const Sequences& sequences,
                                 const CardOptions& options = {});

/// The file that `assay features --out` writes; deterministic bytes.
[[nodiscard]] std::string cards_json(const CardSet& cards, const Transformer& model, const Sae& sae,
                                     const Tokenizer* tokenizer, const Digest& text_digest);

}  // namespace assay::features
