#include "assay/automata/shapes.hpp"

#include "shape_search.hpp"

namespace assay::automata {
namespace {

std::vector<std::vector<StateId>> as_states(const std::vector<std::vector<std::size_t>>& lists) {
  std::vector<std::vector<StateId>> out;
  out.reserve(lists.size());
  for (const auto& list : lists) {
    out.emplace_back(list.begin(), list.end());
  }
  return out;
}

}  // namespace

bool is_frequent(std::uint64_t edge_count, std::uint64_t out_count) {
  return edge_count >= 5 && 10 * edge_count >= out_count;
}

std::vector<std::uint64_t> out_counts(const FittedAutomaton& automaton) {
  std::vector<std::uint64_t> out(automaton.states.size(), 0);
  for (const FittedEdge& edge : automaton.edges) {
    out[edge.from.at()] += edge.count;
  }
  return out;
}

Shapes find_shapes(const FittedAutomaton& automaton) {
  const std::vector<std::uint64_t> out = out_counts(automaton);
  const std::size_t n = automaton.states.size();
  EdgeSet all, frequent;
  Successor next(n);
  Shapes shapes;
  for (const FittedEdge& edge : automaton.edges) {
    all.insert({edge.from.at(), edge.to.at()});
    if (!is_frequent(edge.count, out[edge.from.at()])) {
      continue;
    }
    frequent.insert({edge.from.at(), edge.to.at()});
    if (edge.from == edge.to) {
      shapes.self_loops.push_back(edge.from);
    } else if (2 * edge.count >= out[edge.from.at()] && !next[edge.from.at()]) {
      next[edge.from.at()] = edge.to.at();
    }
  }
  for (const auto& [from, to] : frequent) {
    if (from < to && frequent.contains({to, from})) {
      shapes.two_cycles.emplace_back(StateId(from), StateId(to));
    }
  }
  shapes.chains = as_states(find_chains(next));
  shapes.components = as_states(cyclic_components(n, all));
  shapes.frequent_components = as_states(cyclic_components(n, frequent));
  return shapes;
}

}  // namespace assay::automata
