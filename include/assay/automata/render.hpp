#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "assay/automata/fit.hpp"

namespace assay::automata {

/// HOA v1 (Babiak et al., CAV 2015) of the fitted automaton's letters: an added first state, then
/// one state each; an edge s -> t carries what is surely true and false at t. Acceptance: all.
/// A state that no counted run left has no edge, so the language is that of the seen fragment.
[[nodiscard]] std::string to_hoa(const FittedAutomaton& automaton);

/// The whole automaton for Graphviz: every state and edge, edges labelled with counts.
[[nodiscard]] std::string to_dot(const FittedAutomaton& automaton);

struct PictureOptions {
  std::size_t states = 14;          ///< the most visited ones: what is legible on a page
  std::size_t edges_per_state = 3;  ///< the most taken ones, share at least 1/20
};
/// What a person can read: the most visited states with names, their main edges in percent, one
/// box for every loop of frequent edges that holds at most half of them.
[[nodiscard]] std::string to_picture_dot(const FitResult& result,
                                         const PictureOptions& options = {});

/// Runs Graphviz's `dot` on a file. False, and no file, when there is no `dot` on PATH or it
/// fails. The output has no version or date in it.
bool draw_svg(const std::filesystem::path& dot_file, const std::filesystem::path& svg_file);

/// automaton.md: what was counted, the features, the shapes by name, what features cause. Without a
/// tokenizer tokens are shown by id.
[[nodiscard]] std::string to_markdown(const FitResult& result,
                                      const Tokenizer* tokenizer = nullptr);

/// Writes automaton.json, samples.jsonl, cards.json, automaton.dot, picture.dot, automaton.hoa,
/// automaton.md and, when Graphviz is there, automaton.svg. True when the picture was drawn.
bool write_automaton(const std::filesystem::path& directory, const FitInput& input,
                     const FitResult& result);

}  // namespace assay::automata
