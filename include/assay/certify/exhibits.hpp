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
  std::string note;  ///< e.g. the automaton state, or "violates here"
  std::vector<std::pair<std::string, std::string>> features;  ///< name, value
};

struct Counterexample {
  std::string claim;
  std::string prompt;  ///< token text of the prompt
  std::string replay;  ///< how the replay ended, in words
  std::vector<RunStep> steps;
};

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
inline constexpr const char* kPictureRole = "automaton-picture";
inline constexpr const char* kAutomatonRole = "automaton";

[[nodiscard]] std::string feature_cards_json(const std::vector<FeatureCard>& cards);
[[nodiscard]] std::string counterexample_json(const Counterexample& counterexample);
/// Strict readers; throw InputError.
[[nodiscard]] std::vector<FeatureCard> parse_feature_cards(std::string_view json,
                                                           const std::string& file);
[[nodiscard]] Counterexample parse_counterexample(std::string_view json, const std::string& file);
[[nodiscard]] AutomatonOutline parse_automaton_outline(std::string_view json,
                                                       const std::string& file);

}  // namespace assay::certify
