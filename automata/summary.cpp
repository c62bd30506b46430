#include <algorithm>

#include "assay/automata/render.hpp"
#include "assay/base/files.hpp"

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

}  // namespace

std::string to_markdown(const FitResult& r) {
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
  write_file_atomic(directory / "automaton.md", to_markdown(result));
  const bool drawn = draw_svg(directory / "picture.dot", directory / "automaton.svg");
  // Last, so that its presence says that the rest is complete.
  write_file_atomic(directory / "automaton.json", fit_json(result));
  return drawn;
}

}  // namespace assay::automata
