#include "shape_search.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/property_map/property_map.hpp>

namespace assay::automata {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

/// The path from `start` along `next` until it ends or closes.
std::vector<std::size_t> follow(const Successor& next, std::size_t start) {
  std::vector<std::size_t> path{start};
  std::set<std::size_t> seen{start};
  while (next[path.back()] && seen.insert(*next[path.back()]).second) {
    path.push_back(*next[path.back()]);
  }
  return path;
}

}  // namespace

std::vector<std::vector<std::size_t>> cyclic_components(std::size_t states, const EdgeSet& edges) {
  Graph graph(states);
  for (const auto& [from, to] : edges) {
    boost::add_edge(from, to, graph);
  }
  std::vector<std::size_t> of(states, 0);
  const auto map =
      boost::make_iterator_property_map(of.begin(), boost::get(boost::vertex_index, graph));
  const std::size_t n = states == 0 ? 0 : boost::strong_components(graph, map);
  std::vector<std::vector<std::size_t>> components(n);
  for (std::size_t s = 0; s < states; ++s) {
    components[of[s]].emplace_back(s);
  }
  std::erase_if(components, [&edges](const std::vector<std::size_t>& c) {
    return c.size() == 1 && !edges.contains({c[0], c[0]});
  });
  std::sort(components.begin(), components.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  return components;
}

std::vector<std::vector<std::size_t>> find_chains(const Successor& next) {
  std::vector<bool> has_predecessor(next.size(), false), covered(next.size(), false);
  for (const auto& to : next) {
    if (to) {
      has_predecessor[*to] = true;
    }
  }
  std::vector<std::vector<std::size_t>> chains;
  const auto take = [&](std::size_t s) {
    chains.push_back(follow(next, s));
    for (const std::size_t state : chains.back()) {
      covered[state] = true;
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

}  // namespace assay::automata
