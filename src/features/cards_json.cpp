#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/features/cards.hpp"
#include "feature_name.hpp"

namespace assay::features {
namespace {

using Json = nlohmann::ordered_json;

/// Six significant digits: enough to read, and the same bytes on every machine.
double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) {
    return x;
  }
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::fabs(x))));
  return std::round(x * scale) / scale;
}

Json card_json(const FeatureCard& card, const Tokenizer* tokenizer) {
  Json contexts = Json::array(), tokens = Json::array(), classes = Json::array(),
       promotes = Json::array();
  for (const Context& c : card.contexts) {
    contexts.push_back(
        {{"left", c.left}, {"token", c.token}, {"right", c.right}, {"value", rounded(c.value)}});
  }
  for (const TokenShare& t : card.tokens) {
    tokens.push_back({{"token", t.token.at()},
                      {"text", token_text(tokenizer, t.token)},
                      {"count", t.count},
                      {"share", rounded(t.share)}});
  }
  for (const ClassScore& c : card.classes) {
    classes.push_back({{"class", c.name},
                       {"precision", rounded(c.precision)},
                       {"recall", rounded(c.recall)},
                       {"f1", rounded(c.f1)}});
  }
  for (const PromotedToken& t : card.promotes) {
    promotes.push_back({{"token", t.token.at()},
                        {"text", token_text(tokenizer, t.token)},
                        {"weight", rounded(t.weight)}});
  }
  return {{"feature", card.feature.at()},
          {"name", card.name},
          {"nameF1", rounded(card.name_f1)},
          {"count", card.count},
          {"density", rounded(card.density)},
          {"meanOn", rounded(card.mean_on)},
          {"max", rounded(card.maximum)},
          {"p99", rounded(card.p99)},
          {"contexts", contexts},
          {"tokens", tokens},
          {"classes", classes},
          {"promotes", promotes}};
}

}  // namespace

std::string cards_json(const CardSet& cards, const Transformer& model, const Sae& sae,
                       const Tokenizer* tokenizer, const Digest& text_digest) {
  Json features = Json::array();
  for (const FeatureCard& card : cards.cards) {
    features.push_back(card_json(card, tokenizer));
  }
  const Json root = {{"assay-cards", 1},
                     {"level", "OBSERVED"},
                     {"model", model.weights_digest.hex()},
                     {"sae", sae.weights_digest.hex()},
                     {"site", sae.hook_name},
                     {"text", text_digest.hex()},
                     {"tokens", cards.tokens},
                     {"dSae", sae.d_sae},
                     {"live", cards.live},
                     {"features", features}};
  return root.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace assay::features
