#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/features/encode.hpp"

namespace assay::features {

/// The feature that detects a token class best, "on" read as "this token is in the class".
struct BestFeature {
  FeatureId feature;
  double f1 = 0;             ///< 2 P R / (P + R); 0 when the feature never fires inside the class
  double precision = 0;      ///< share of its firings that lie in the class
  double recall = 0;         ///< share of the class's tokens on which it is on
  std::uint64_t tokens = 0;  ///< tokens looked at
};

/// Highest F1 over the sequences (exact comparison of counts; the lowest id wins a tie).
[[nodiscard]] BestFeature best_feature(const Transformer& model, const Sae& sae,
                                       const std::vector<TokenId>& token_class,
                                       const Sequences& sequences);

/// The same on the fit split of the documents, the rule `best_feature(class, site)` of the
/// specification language. Throws InputError when the fit split is empty, the class is empty or
/// no feature ever fires inside the class.
[[nodiscard]] BestFeature best_feature(const Transformer& model, const Sae& sae,
                                       const Tokenizer& tokenizer,
                                       const std::vector<TokenId>& token_class,
                                       const std::vector<Document>& documents,
                                       std::size_t max_tokens = 100000);

}  // namespace assay::features
