#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/index.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/spec/spec.hpp"

namespace assay::spec {

/// What the names of a spec stand for. Nothing here is owned.
struct ResolveInput {
  const Tokenizer* tokenizer = nullptr;    ///< null: the model works on token ids alone
  std::size_t vocabulary = 0;              ///< number of token ids
  Digest model;                            ///< of model.safetensors
  std::map<std::string, const Sae*> saes;  ///< by `use` name
  std::map<std::string, Digest> readouts;  ///< digest of the file, by `use` name
  /// best_feature: the feature of the SAE with the highest F1 as a detector of these tokens.
  std::function<FeatureId(const Sae&, const std::vector<TokenId>&)> best_feature;
};

/// Replaces strings, regular expressions, class expressions and rules by ids, feature numbers
/// and digests, and writes the claims that use scopes, `at_most`, R, M, `first`, `last`, pos, O and H,
/// `from` or `assume` out in X, F, G, U, W, Y, O, H: what is certified then depends on no expansion of
/// theirs. Throws UsageError "FILE:LINE:COL: …" for an empty class, a token id, token text
/// or feature that does not exist, a digest that differs, a spec without properties, and a
/// property that is valid or unsatisfiable by itself.
[[nodiscard]] Spec resolve(const Spec& spec, const std::string& file, const ResolveInput& input);

}  // namespace assay::spec
