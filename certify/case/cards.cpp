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

/// How plainly the card shows what the feature reacts to: one token, or one class of tokens.
double purity(const features::FeatureCard& card) {
  const double token = card.tokens.empty() ? 0 : card.tokens[0].share;
  return std::max(token, card.classes.empty() ? 0 : card.classes[0].f1);
}

/// The purest cards, one for each most frequent token, so that they tell different things.
std::vector<const features::FeatureCard*> choose(const features::CardSet& cards, std::size_t n) {
  std::vector<const features::FeatureCard*> order;
  for (const features::FeatureCard& card : cards.cards) {
    order.push_back(&card);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return purity(*a) > purity(*b); });
  std::set<TokenId> shown;
  std::vector<const features::FeatureCard*> chosen;
  for (const features::FeatureCard* card : order) {
    if (chosen.size() < n && !card->tokens.empty() && shown.insert(card->tokens[0].token).second) {
      chosen.push_back(card);
    }
  }
  return chosen;
}

}  // namespace

void add_cards(CaseRun& run, const automata::FitResult& fit) {
  const Sae& sae = run.subject.dictionaries.at(run.file.automaton->dictionary);
  std::vector<FeatureCard> cards;
  for (const features::FeatureCard* card : choose(fit.cards, run.file.cards)) {
    cards.push_back(exhibit_of(*card, sae, run.subject.tokenizer));
  }
  if (!cards.empty()) {
    add_evidence(run.statement, run.paths, "features/cards.json", kCardsRole,
                 feature_cards_json(cards));
  }
}

}  // namespace assay::certify
