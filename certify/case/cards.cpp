#include <algorithm>
#include <set>

#include "assay/base/text.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

FeatureCard exhibit_of(const features::FeatureCard& card, const Sae& sae,
                       const Tokenizer& tokenizer) {
  FeatureCard out;
  out.feature = card.feature.at();
  out.name = card.name;
  out.site = sae.hook_name;
  out.density = fixed(100 * card.density, 2) + " % of tokens";
  for (std::size_t i = 0; i < std::min<std::size_t>(5, card.tokens.size()); ++i) {
    out.top_tokens.emplace_back(tokenizer.text(card.tokens[i].token),
                                fixed(100 * card.tokens[i].share, 0) + " %");
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(5, card.contexts.size()); ++i) {
    const features::Context& c = card.contexts[i];
    out.contexts.push_back({c.left, c.token, c.right, fixed(c.value, 2)});
  }
  return out;
}

/// How plainly the card's best class names the feature.
double clarity(const features::FeatureCard& card) {
  return card.classes.empty() ? 0 : card.classes[0].f1;
}

}  // namespace

void add_cards(CaseRun& run, const automata::FitResult& fit) {
  std::vector<const features::FeatureCard*> chosen;
  for (const automata::StateFeature& f : fit.features) {
    if (const features::FeatureCard* card = fit.cards.find(f.feature)) {
      chosen.push_back(card);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const auto* a, const auto* b) { return clarity(*a) > clarity(*b); });
  chosen.resize(std::min(chosen.size(), run.file.cards));
  const Sae& sae = run.subject.dictionaries.at(run.file.automaton->dictionary);
  std::vector<FeatureCard> cards;
  for (const features::FeatureCard* card : chosen) {
    cards.push_back(exhibit_of(*card, sae, run.subject.tokenizer));
  }
  if (!cards.empty()) {
    add_evidence(run.statement, run.paths, "features/cards.json", kCardsRole,
                 feature_cards_json(cards));
  }
}

}  // namespace assay::certify
