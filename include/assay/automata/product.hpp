#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/automata/feature_automaton.hpp"
#include "assay/spec/dfa.hpp"

namespace assay::automata {

/// A fitted state and the spec automaton's state after it has read a letter of that state.
struct ProductState {
  StateId state;
  std::uint32_t spec = 0;
  auto operator<=>(const ProductState&) const = default;
};

/// The letters a state may show, in the property's own atoms: every ℓ with must ⊆ ℓ ⊆ may,
/// ascending. Unknown atoms are resolved both ways.
[[nodiscard]] std::vector<std::size_t> letters_of(const FittedState& state, const spec::Dfa& dfa);

/// The fitted automaton and the bad-prefix automaton walked together; letters[s] and after[s]
/// (ascending successors) of every fitted state s.
struct Product {
  const FittedAutomaton* automaton = nullptr;
  const spec::Dfa* dfa = nullptr;
  std::vector<std::vector<std::size_t>> letters;
  std::vector<std::vector<StateId>> after;

  [[nodiscard]] std::size_t size() const { return letters.size() * dfa->states; }
  [[nodiscard]] std::size_t index(StateId state, std::uint32_t q) const {
    return state.at() * dfa->states + q;
  }
};

/// Keeps references to both. Throws UsageError over 64 million pairs, PreconditionError when an
/// edge names no state.
[[nodiscard]] Product make_product(const FittedAutomaton& automaton, const spec::Dfa& dfa);

}  // namespace assay::automata
