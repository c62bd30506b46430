#include <algorithm>
#include <cmath>

#include "assay/automata/render.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kLines = 12;  ///< of each kind of shape

std::string named(const FittedAutomaton& a, StateId s) {
  return "s" + std::to_string(s.at()) + " " + a.states[s.at()].name;
}

std::string path(const FittedAutomaton& a, const std::vector<StateId>& states) {
  std::string text;
  for (const StateId s : states) {
    text += (text.empty() ? "" : " → ") + named(a, s);
  }
  return text;
}

/// A heading, the first lines and how many are left out.
template <class Items, class Line>
std::string section(const std::string& title, const Items& items, const Line& line) {
  std::string text = "\n## " + title + ": " + std::to_string(items.size()) + "\n";
  for (std::size_t i = 0; i < std::min(kLines, items.size()); ++i) {
    text += "- " + line(items[i]) + "\n";
  }
  if (items.size() > kLines) {
    text += "- and " + std::to_string(items.size() - kLines) + " more in automaton.json\n";
  }
  return text;
}

std::string counts_table(const FitResult& r) {
  const FittedAutomaton& a = r.automaton;
  std::uint64_t letters = 0;
  for (const FittedState& s : a.states) {
    letters += s.count;
  }
  const std::size_t largest = r.shapes.components.empty() ? 0 : r.shapes.components[0].size();
  const auto row = [](const std::string& name, std::uint64_t n) {
    return "| " + name + " | " + std::to_string(n) + " |\n";
  };
  return "| what | count |\n|---|---|\n" + row("runs", a.runs) + row("letters", letters) +
         row("states", a.states.size()) + row("edges seen", a.edges.size()) +
         row("initial states", a.initial.size()) +
         row("features with their own states", r.features.size()) +
         row("features merged into none", r.merged_features) +
         row("states in the largest strongly connected component", largest);
}

std::string feature_name(const FitResult& r, std::size_t i) {
  return "f" + std::to_string(r.features[i].feature.at()) + " " + r.features[i].name;
}

std::string feature_path(const FitResult& r, const std::vector<std::size_t>& chain) {
  std::string text;
  for (const std::size_t i : chain) {
    text += (text.empty() ? "" : " → ") + feature_name(r, i);
  }
  return text;
}

std::string token_name(const Tokenizer* tokenizer, TokenId token) {
  return tokenizer == nullptr ? "#" + std::to_string(token.at()) : visible(tokenizer->text(token));
}

std::string percent(double x) {
  return std::to_string(std::llround(100 * x)) + " %";
}

/// "f3 name → f7 name: 42 % through `/` 31 %, `a` 9 %"
std::string causal_line(const FitResult& r, const CausalEdge& edge, const Tokenizer* tokenizer) {
  std::string through;
  for (const CausalToken& token : edge.through) {
    through += through.empty() ? "`" : ", `";
    through += token_name(tokenizer, token.token) + "` " + percent(token.weight);
  }
  return feature_name(r, edge.from) + " → " + feature_name(r, edge.to) + ": " +
         percent(edge.weight) + " through " + through;
}

std::string causal_sections(const FitResult& r, const Tokenizer* tokenizer) {
  const CausalGraph& g = r.causal;
  if (g.sampled == 0) {
    return "";
  }
  std::vector<CausalEdge> strongest = g.edges;
  std::stable_sort(strongest.begin(), strongest.end(), [](const auto& a, const auto& b) {
    return std::abs(a.weight) > std::abs(b.weight);
  });
  std::string text =
      "\n## What features cause\nOne context of each of " + std::to_string(g.sampled) +
      " runs; a feature's own part of the output is taken away and the next token's probabilities "
      "change. An edge's weight is the mean change, over contexts with its source on, of the "
      "probability that its target is on next; at least " +
      percent(kCausal) + " in size.\n";
  text += section("Causal edges, strongest first", strongest,
                  [&](const CausalEdge& edge) { return causal_line(r, edge, tokenizer); });
  text += section("Causal self-loops", g.self_loops,
                  [&r](std::size_t i) { return feature_name(r, i); });
  text += section("Causal 2-cycles", g.two_cycles, [&r](const auto& pair) {
    return feature_name(r, pair.first) + " ⇄ " + feature_name(r, pair.second);
  });
  text += section("Causal chains (each feature's strongest edge to another)", g.chains,
                  [&r](const auto& chain) { return feature_path(r, chain); });
  return text;
}

}  // namespace

std::string to_markdown(const FitResult& r, const Tokenizer* tokenizer) {
  const FittedAutomaton& a = r.automaton;
  std::string text =
      "# Feature automaton\n\nLevel: OBSERVED. Counts on text sampled from the model (" +
      a.decoder.text() + ", at most " + std::to_string(a.max_new) + " tokens a run, seed " +
      std::to_string(a.seed) + "). An unseen edge is not an absent one.\n\n" + counts_table(r) +
      "\nA frequent edge has a share of at least 1/10 of what leaves its state and a count of at "
      "least 5.\n";
  text +=
      section("Frequent self-loops", r.shapes.self_loops, [&a](StateId s) { return named(a, s); });
  text += section("Frequent 2-cycles", r.shapes.two_cycles, [&a](const auto& pair) {
    return named(a, pair.first) + " ⇄ " + named(a, pair.second);
  });
  text += section("Chains (each step at least 1/2)", r.shapes.chains,
                  [&a](const auto& chain) { return path(a, chain); });
  text += section("Strongly connected components of all edges", r.shapes.components,
                  [&a](const auto& c) {
                    return std::to_string(c.size()) + " states, first " + named(a, c[0]);
                  });
  text += section("Strongly connected components of frequent edges", r.shapes.frequent_components,
                  [&a](const auto& c) {
                    return std::to_string(c.size()) + " states, first " + named(a, c[0]);
                  });
  text += section("Features", r.features, [](const StateFeature& f) {
    return "f" + std::to_string(f.feature.at()) + " " + f.name;
  });
  text += causal_sections(r, tokenizer);
  return text;
}

bool write_automaton(const std::filesystem::path& directory, const FitInput& input,
                     const FitResult& result) {
  make_directory(directory);
  write_file_atomic(directory / "samples.jsonl", samples_jsonl(result.automaton));
  write_file_atomic(
      directory / "cards.json",
      features::cards_json(result.cards, *input.model, *input.sae, input.tokenizer, result.text));
  write_file_atomic(directory / "automaton.dot", to_dot(result.automaton));
  write_file_atomic(directory / "picture.dot", to_picture_dot(result));
  write_file_atomic(directory / "automaton.hoa", to_hoa(result.automaton));
  write_file_atomic(directory / "automaton.md", to_markdown(result, input.tokenizer));
  const bool drawn = draw_svg(directory / "picture.dot", directory / "automaton.svg");
  // Last, so that its presence says that the rest is complete.
  write_file_atomic(directory / "automaton.json", fit_json(result));
  return drawn;
}

}  // namespace assay::automata
