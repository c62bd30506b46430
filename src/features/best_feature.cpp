#include "assay/features/best_feature.hpp"

#include "assay/base/errors.hpp"

namespace assay::features {

BestFeature best_feature(const Transformer& model, const Sae& sae,
                         const std::vector<TokenId>& token_class, const Sequences& sequences) {
  check_fits(model, sae);
  std::vector<bool> in_class(model.config.d_vocab, false);
  for (const TokenId token : token_class) {
    if (token.at() >= in_class.size()) {
      throw InputError("token class", "token id", "below " + std::to_string(in_class.size()),
                       std::to_string(token.at()));
    }
    in_class[token.at()] = true;
  }
  std::vector<std::uint64_t> on(sae.d_sae, 0), hits(sae.d_sae, 0);
  std::uint64_t members = 0;
  BestFeature best;
  for (const auto& tokens : sequences) {
    const Matrix values = feature_values(model, sae, tokens);
    for (std::size_t r = 0; r < tokens.size(); ++r) {
      const bool member = in_class[tokens[r].at()];
      members += member ? 1U : 0U;
      for (std::size_t i = 0; i < sae.d_sae; ++i) {
        if (values.at(r, i) != 0) {
          ++on[i];
          hits[i] += member ? 1U : 0U;
        }
      }
    }
    best.tokens += tokens.size();
  }
  // F1 = 2 hits / (on + members): compared by cross multiplication, so a tie is a tie.
  std::size_t winner = 0;
  for (std::size_t i = 1; i < sae.d_sae; ++i) {
    if (hits[i] * (on[winner] + members) > hits[winner] * (on[i] + members)) {
      winner = i;
    }
  }
  best.feature = FeatureId(winner);
  if (hits[winner] > 0) {
    const auto h = static_cast<double>(hits[winner]);
    best.f1 = 2 * h / static_cast<double>(on[winner] + members);
    best.precision = h / static_cast<double>(on[winner]);
    best.recall = h / static_cast<double>(members);
  }
  return best;
}

BestFeature best_feature(const Transformer& model, const Sae& sae, const Tokenizer& tokenizer,
                         const std::vector<TokenId>& token_class,
                         const std::vector<Document>& documents, std::size_t max_tokens) {
  if (token_class.empty()) {
    throw InputError("best_feature", "token class", "at least one token", "none");
  }
  const Sequences fit = part_sequences(model, tokenizer, documents, Part::fit, max_tokens);
  const BestFeature best = best_feature(model, sae, token_class, fit);
  if (best.f1 == 0) {
    throw InputError("best_feature", "token class",
                     "a feature that fires on one of its tokens in the fit split", "none");
  }
  return best;
}

}  // namespace assay::features
