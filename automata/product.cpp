#include "assay/automata/product.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kMaxPairs = 64000000;

}  // namespace

std::vector<std::size_t> letters_of(const FittedState& state, const spec::Dfa& dfa) {
  const std::size_t must = dfa.project(state.must);
  const std::size_t may = dfa.project(state.may);
  std::vector<std::size_t> letters;
  for (std::size_t letter = 0; letter < dfa.letters(); ++letter) {
    if ((letter & must) == must && (letter & may) == letter) {
      letters.push_back(letter);
    }
  }
  return letters;
}

Product make_product(const FittedAutomaton& automaton, const spec::Dfa& dfa) {
  const std::size_t states = automaton.states.size();
  if (states > kMaxPairs / std::max<std::size_t>(dfa.states, 1)) {
    throw UsageError("the product of the automaton and the property has more than " +
                     std::to_string(kMaxPairs) + " pairs");
  }
  Product product;
  product.automaton = &automaton;
  product.dfa = &dfa;
  product.after.resize(states);
  for (const FittedState& state : automaton.states) {
    product.letters.push_back(letters_of(state, dfa));
  }
  for (const FittedEdge& edge : automaton.edges) {
    require(edge.from.at() < states && edge.to.at() < states,
            "make_product: an edge without state");
    product.after[edge.from.at()].push_back(edge.to);
  }
  for (const auto& [state, count] : automaton.initial) {
    require(state.at() < states, "make_product: an initial state that does not exist");
  }
  for (std::vector<StateId>& after : product.after) {
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
  }
  return product;
}

}  // namespace assay::automata
