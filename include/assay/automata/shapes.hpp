#pragma once

#include <utility>
#include <vector>

#include "assay/automata/feature_automaton.hpp"

namespace assay::automata {

/// Shapes in the sense of Towards Monosemanticity's finite-state automata, on a fitted automaton.
/// share(s,t) = count(s,t) / sum over u of count(s,u). An edge is *frequent* when its share is at
/// least 1/10 and its count at least 5.
struct Shapes {
  std::vector<StateId> self_loops;                      ///< frequent s -> s
  std::vector<std::pair<StateId, StateId>> two_cycles;  ///< s < t, both directions frequent
  /// Longest paths of at least three different states in which every step has a share of at
  /// least 1/2 (and is frequent); a closed one starts at its lowest state. Longest first.
  std::vector<std::vector<StateId>> chains;
  /// Strongly connected components with a cycle in them, of all seen edges and of the frequent
  /// ones alone; states ascending, largest component first.
  std::vector<std::vector<StateId>> components, frequent_components;
};

[[nodiscard]] bool is_frequent(std::uint64_t edge_count, std::uint64_t out_count);
/// Sum of the counts of the edges that leave each state.
[[nodiscard]] std::vector<std::uint64_t> out_counts(const FittedAutomaton& automaton);
[[nodiscard]] Shapes find_shapes(const FittedAutomaton& automaton);

}  // namespace assay::automata
