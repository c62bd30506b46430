#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace assay::automata {

/// Directed edges between the nodes 0 … n−1.
using EdgeSet = std::set<std::pair<std::size_t, std::size_t>>;
/// The one edge of each node that a chain may follow.
using Successor = std::vector<std::optional<std::size_t>>;

/// Tarjan's strongly connected components (Boost.Graph), those that hold a cycle; nodes ascending,
/// the largest component first.
[[nodiscard]] std::vector<std::vector<std::size_t>> cyclic_components(std::size_t nodes,
                                                                      const EdgeSet& edges);

/// Longest paths along `next` of at least three different nodes, longest first; a closed one starts at
/// its lowest node.
[[nodiscard]] std::vector<std::vector<std::size_t>> find_chains(const Successor& next);

}  // namespace assay::automata
