#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::certify {

/// Evidence made for reading. Token text is raw bytes here; the files carry it made visible.

/// One place where a feature is on: the token and what stands around it.
struct CardContext {
  std::string before, token, after;
  std::string value;  ///< activation, as text
};

struct FeatureCard {
  std::uint64_t feature = 0;
  std::string name;     ///< what a person calls it
  std::string site;     ///< "blocks.0.hook_resid_mid"
  std::string density;  ///< share of tokens it is on for, as text
  std::vector<std::pair<std::string, std::string>> top_tokens;  ///< token text, share
  std::vector<CardContext> contexts;
};

/// One token of a run with what is on there.
struct RunStep {
  std::string token;
  std::string note;   ///< the atoms that are true here, or "violates here"
  std::string state;  ///< of the property's automaton after this token, or ""
  std::vector<std::pair<std::string, std::string>> features;  ///< name, value
};

struct Counterexample {
  std::string claim;
  std::string prompt;  ///< token text of the prompt
  std::string replay;  ///< how the replay ended, in words
  std::vector<RunStep> steps;
};

/// A property as people read it: a sentence, and the automaton that watches for its violation.
struct PropertyExhibit {
  struct Edge {
    std::size_t from = 0, to = 0;
    std::string when;  ///< over the atoms, "Lt & !Gt"; "true" for every letter
  };
  std::string claim;                                       ///< the claim's id
  std::string sentence;                                    ///< the property in words
  std::string formula;                                     ///< as the specification writes it
  std::vector<std::pair<std::string, std::string>> atoms;  ///< name, what it means
  std::vector<std::string> states;  ///< kinds, the initial one first; empty: too large to draw
  std::vector<Edge> edges;
};
/// open: it depends on what comes; bad: violated, whatever comes; settled: it cannot be violated any more.
inline constexpr const char* kOpenState = "open";
inline constexpr const char* kBadState = "bad";
inline constexpr const char* kSettledState = "settled";

/// The shape of an automaton.json, for a picture's text alternative.
struct AutomatonOutline {
  struct State {
    std::string name;
    std::uint64_t count = 0;
  };
  struct Edge {
    std::size_t from = 0, to = 0;
    std::uint64_t count = 0;
  };
  std::vector<State> states;
  std::vector<Edge> edges;
};

/// Roles under which the report looks for them.
inline constexpr const char* kCardsRole = "feature-cards";
inline constexpr const char* kCounterexampleRole = "counterexample";
inline constexpr const char* kPropertyRole = "property";
inline constexpr const char* kPictureRole = "automaton-picture";
inline constexpr const char* kAutomatonRole = "automaton";
inline constexpr const char* kPreviousRole =
    "previous";  ///< the envelope of an earlier certificate
inline constexpr const char* kSpecRole = "spec";

[[nodiscard]] std::string feature_cards_json(const std::vector<FeatureCard>& cards);
[[nodiscard]] std::string counterexample_json(const Counterexample& counterexample);
[[nodiscard]] std::string property_json(const PropertyExhibit& property);
/// Strict readers; throw InputError.
[[nodiscard]] std::vector<FeatureCard> parse_feature_cards(std::string_view json,
                                                           const std::string& file);
[[nodiscard]] Counterexample parse_counterexample(std::string_view json, const std::string& file);
[[nodiscard]] PropertyExhibit parse_property(std::string_view json, const std::string& file);
[[nodiscard]] AutomatonOutline parse_automaton_outline(std::string_view json,
                                                       const std::string& file);

}  // namespace assay::certify
