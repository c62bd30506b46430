#include "assay/automata/shapes.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/property_map/property_map.hpp>
#include <optional>
#include <set>

namespace assay::automata {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using EdgeSet = std::set<std::pair<StateId, StateId>>;

/// Tarjan's components of the graph, those that hold a cycle.
std::vector<std::vector<StateId>> cyclic_components(std::size_t states, const EdgeSet& edges) {
  Graph graph(states);
  for (const auto& [from, to] : edges) {
    boost::add_edge(from.at(), to.at(), graph);
  }
  std::vector<std::size_t> of(states, 0);
  const auto map =
      boost::make_iterator_property_map(of.begin(), boost::get(boost::vertex_index, graph));
  const std::size_t n = states == 0 ? 0 : boost::strong_components(graph, map);
  std::vector<std::vector<StateId>> components(n);
  for (std::size_t s = 0; s < states; ++s) {
    components[of[s]].emplace_back(s);
  }
  std::erase_if(components, [&edges](const std::vector<StateId>& c) {
    return c.size() == 1 && !edges.contains({c[0], c[0]});
  });
  std::sort(components.begin(), components.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  return components;
}

using Successor = std::vector<std::optional<StateId>>;

/// The path from `start` along `next` until it ends or closes.
std::vector<StateId> follow(const Successor& next, StateId start) {
  std::vector<StateId> path{start};
  std::set<StateId> seen{start};
  while (next[path.back().at()] && seen.insert(*next[path.back().at()]).second) {
    path.push_back(*next[path.back().at()]);
  }
  return path;
}

std::vector<std::vector<StateId>> find_chains(const Successor& next) {
  std::vector<bool> has_predecessor(next.size(), false), covered(next.size(), false);
  for (const auto& to : next) {
    if (to) {
      has_predecessor[to->at()] = true;
    }
  }
  std::vector<std::vector<StateId>> chains;
  const auto take = [&](std::size_t s) {
    chains.push_back(follow(next, StateId(s)));
    for (const StateId state : chains.back()) {
      covered[state.at()] = true;
    }
  };
  for (std::size_t s = 0; s < next.size(); ++s) {
    if (!has_predecessor[s]) {
      take(s);
    }
  }
  for (std::size_t s = 0; s < next.size(); ++s) {
    if (!covered[s]) {
      take(s);  // what is left are closed chains
    }
  }
  std::erase_if(chains, [](const auto& chain) { return chain.size() < 3; });
  std::stable_sort(chains.begin(), chains.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return chains;
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
    all.insert({edge.from, edge.to});
    if (!is_frequent(edge.count, out[edge.from.at()])) {
      continue;
    }
    frequent.insert({edge.from, edge.to});
    if (edge.from == edge.to) {
      shapes.self_loops.push_back(edge.from);
    } else if (2 * edge.count >= out[edge.from.at()] && !next[edge.from.at()]) {
      next[edge.from.at()] = edge.to;
    }
  }
  for (const auto& [from, to] : frequent) {
    if (from < to && frequent.contains({to, from})) {
      shapes.two_cycles.emplace_back(from, to);
    }
  }
  shapes.chains = find_chains(next);
  shapes.components = cyclic_components(n, all);
  shapes.frequent_components = cyclic_components(n, frequent);
  return shapes;
}

}  // namespace assay::automata
