#include "assay/certify/exhibits.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "json_profile.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kCardsVersion = "assay-feature-cards 1";
constexpr const char* kRunVersion = "assay-counterexample 1";
constexpr const char* kPropertyVersion = "assay-property 1";

json pairs_json(const Pairs& pairs, const char* first, const char* second) {
  json list = json::array();
  for (const auto& [a, b] : pairs) {
    list.push_back({{first, visible(a)}, {second, visible(b)}});
  }
  return list;
}

Pairs read_pairs(const ObjectReader& o, const char* key, const char* first, const char* second) {
  Pairs pairs;
  for (const ObjectReader& entry : o.objects(key)) {
    pairs.emplace_back(entry.text(first), entry.text(second));
  }
  return pairs;
}

void check_version(const ObjectReader& o, const char* version) {
  if (o.text("version") != version) {
    throw InputError(o.where(), "version", version, visible(o.text("version")));
  }
}

}  // namespace

std::string feature_cards_json(const std::vector<FeatureCard>& cards) {
  json list = json::array();
  for (const FeatureCard& card : cards) {
    json contexts = json::array();
    for (const CardContext& c : card.contexts) {
      contexts.push_back({{"before", visible(c.before)},
                          {"token", visible(c.token)},
                          {"after", visible(c.after)},
                          {"value", visible(c.value)}});
    }
    list.push_back({{"feature", card.feature},
                    {"name", visible(card.name)},
                    {"site", visible(card.site)},
                    {"density", visible(card.density)},
                    {"topTokens", pairs_json(card.top_tokens, "token", "share")},
                    {"contexts", contexts}});
  }
  return canonical_json({{"version", kCardsVersion}, {"cards", list}}) + "\n";
}

std::string counterexample_json(const Counterexample& counterexample) {
  json steps = json::array();
  for (const RunStep& step : counterexample.steps) {
    steps.push_back({{"token", visible(step.token)},
                     {"note", visible(step.note)},
                     {"state", visible(step.state)},
                     {"features", pairs_json(step.features, "name", "value")}});
  }
  return canonical_json({{"version", kRunVersion},
                         {"claim", visible(counterexample.claim)},
                         {"prompt", visible(counterexample.prompt)},
                         {"replay", visible(counterexample.replay)},
                         {"steps", steps}}) +
         "\n";
}

std::vector<FeatureCard> parse_feature_cards(std::string_view text, const std::string& file) {
  const json value = parse_profile_json(text, file);
  const ObjectReader top(value, file);
  check_version(top, kCardsVersion);
  std::vector<FeatureCard> cards;
  for (const ObjectReader& o : top.objects("cards")) {
    FeatureCard card;
    card.feature = o.count("feature");
    card.name = o.text("name");
    card.site = o.optional_text("site");
    card.density = o.optional_text("density");
    card.top_tokens = read_pairs(o, "topTokens", "token", "share");
    for (const ObjectReader& c : o.objects("contexts")) {
      card.contexts.push_back(
          {c.text("before"), c.text("token"), c.text("after"), c.text("value")});
    }
    cards.push_back(std::move(card));
  }
  return cards;
}

Counterexample parse_counterexample(std::string_view text, const std::string& file) {
  const json value = parse_profile_json(text, file);
  const ObjectReader top(value, file);
  check_version(top, kRunVersion);
  Counterexample out{top.text("claim"), top.text("prompt"), top.optional_text("replay"), {}};
  for (const ObjectReader& o : top.objects("steps")) {
    out.steps.push_back({o.text("token"), o.optional_text("note"), o.optional_text("state"),
                         read_pairs(o, "features", "name", "value")});
  }
  return out;
}

std::string property_json(const PropertyExhibit& property) {
  json edges = json::array();
  for (const PropertyExhibit::Edge& edge : property.edges) {
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"when", visible(edge.when)}});
  }
  return canonical_json({{"version", kPropertyVersion},
                         {"claim", visible(property.claim)},
                         {"sentence", visible(property.sentence)},
                         {"formula", visible(property.formula)},
                         {"atoms", pairs_json(property.atoms, "name", "meaning")},
                         {"states", property.states},
                         {"edges", edges}}) +
         "\n";
}

PropertyExhibit parse_property(std::string_view text, const std::string& file) {
  const json value = parse_profile_json(text, file);
  const ObjectReader top(value, file);
  check_version(top, kPropertyVersion);
  PropertyExhibit out{top.text("claim"),   top.text("sentence"),
                      top.text("formula"), read_pairs(top, "atoms", "name", "meaning"),
                      top.texts("states"), {}};
  for (const std::string& kind : out.states) {
    if (kind != kOpenState && kind != kBadState && kind != kSettledState) {
      throw InputError(file, "states", "open, bad or settled", visible(kind));
    }
  }
  for (const ObjectReader& edge : top.objects("edges")) {
    out.edges.push_back({edge.count("from"), edge.count("to"), edge.text("when")});
    if (out.edges.back().from >= out.states.size() || out.edges.back().to >= out.states.size()) {
      throw InputError(file, "edges", "listed states", "another");
    }
  }
  return out;
}

AutomatonOutline parse_automaton_outline(std::string_view text, const std::string& file) {
  const json value = parse_profile_json(text, file);
  const ObjectReader top(value, file);
  AutomatonOutline out;
  for (const ObjectReader& state : top.objects("states")) {
    out.states.push_back({state.text("name"), state.count("count")});
  }
  const json edges = value.value("edges", json::array());
  for (const json& edge : edges) {
    const bool triple = edge.is_array() && edge.size() == 3 && edge[0].is_number_unsigned() &&
                        edge[1].is_number_unsigned() && edge[2].is_number_unsigned();
    if (!triple) {
      throw InputError(file, "edges", "triples [from, to, count]", "something else");
    }
    const AutomatonOutline::Edge e{edge[0].get<std::size_t>(), edge[1].get<std::size_t>(),
                                   edge[2].get<std::uint64_t>()};
    if (e.from >= out.states.size() || e.to >= out.states.size()) {
      throw InputError(file, "edges", "listed states", "another");
    }
    out.edges.push_back(e);
  }
  return out;
}

}  // namespace assay::certify
