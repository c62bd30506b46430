#pragma once

#include "assay/automata/feature_automaton.hpp"
#include "assay/base/random.hpp"
#include "assay/spec/spec.hpp"

namespace assay::test {

/// A small automaton over three atoms, with unknown bits.
inline automata::FittedAutomaton random_automaton(Random& random, std::size_t states) {
  automata::FittedAutomaton a;
  a.aps = {"a", "b", "c"};
  for (std::size_t s = 0; s < states; ++s) {
    automata::FittedState state;
    state.name = "s" + std::to_string(s);
    state.may = random.below(8);
    state.must = state.may & random.below(8) & random.below(8);
    a.states.push_back(state);
    for (std::size_t t = 0; t < states; ++t) {
      if (random.below(3) == 0) {
        a.edges.push_back({StateId(s), StateId(t), 1});
      }
    }
  }
  a.initial.emplace_back(StateId(random.below(states)), 1);
  return a;
}

inline spec::FormulaPtr parsed(const std::string& ltl) {
  const auto spec = spec::parse_spec(
      "spec \"t\" version 1; ap a = tok = id 1; ap b = tok = id 2; ap c = tok = id 3; prop P: "
      "all " +
          ltl + ";",
      "s");
  return spec.properties[0].formula;
}

inline constexpr const char* kFormulas[] = {"G !a",
                                            "absent(a & X[!] b)",
                                            "responds(a, b, within 2)",
                                            "precedes(a, b)",
                                            "cooldown(a, c, 2)",
                                            "absent(run(a, 3))",
                                            "G(a -> (!b W c))",
                                            "!b W (a & c)",
                                            "X X !a",
                                            "G(a | X a)"};

}  // namespace assay::test
