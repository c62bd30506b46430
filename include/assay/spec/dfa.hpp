#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

inline constexpr std::size_t kMaxDfaStates = 20000;

/// The minimal complete automaton of the bad prefixes of a formula: it is in a bad state after
/// w when no infinite word that begins with w satisfies the formula. Bad states are absorbing.
/// States are numbered breadth-first from the initial one, 0.
struct Dfa {
  std::vector<std::size_t> atoms;  ///< indices into Spec::atoms, ascending: bit i of a letter
  std::size_t states = 0;
  std::vector<bool> bad;             ///< [states]
  std::vector<std::uint32_t> table;  ///< [states x 2^atoms], row by row

  [[nodiscard]] std::size_t letters() const { return std::size_t{1} << atoms.size(); }
  [[nodiscard]] std::uint32_t next(std::uint32_t state, std::size_t letter) const {
    return table[state * letters() + letter];
  }
  /// The property's own letter of a word over Spec::atoms (bit i of `all` = atoms[i]).
  [[nodiscard]] std::size_t project(std::uint64_t all) const;
  [[nodiscard]] bool has_bad() const;
};

/// Throws UsageError over 20,000 states, 12 atoms or 4,000,000 table entries.
[[nodiscard]] Dfa bad_prefix_dfa(const FormulaPtr& formula);

/// The minimal complete automaton of the finite runs that satisfy a formula in LTLf: the word
/// read may end in a state exactly when it is not bad. The initial state's own value, that of the
/// run without a letter, means nothing.
struct Acceptor {
  Dfa graph;  ///< graph.bad[s]: a run that ends in s violates the formula; not absorbing

  [[nodiscard]] bool accepts(std::uint32_t state) const { return !graph.bad[state]; }
};

/// Limits as for bad_prefix_dfa.
[[nodiscard]] Acceptor ltlf_acceptor(const FormulaPtr& formula);
/// The same over more letters. @pre `atoms` is ascending and holds atoms_of(formula).
[[nodiscard]] Acceptor ltlf_acceptor(const FormulaPtr& formula, std::vector<std::size_t> atoms);

/// The states from which some word leads to a bad one.
[[nodiscard]] std::vector<bool> can_turn_bad(const Dfa& dfa);

/// Hopcroft's algorithm on the reachable part, states renumbered breadth-first.
[[nodiscard]] Dfa minimised(const Dfa& dfa);

}  // namespace assay::spec
