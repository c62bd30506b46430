#include "ranks.hpp"

#include <algorithm>
#include <numeric>

namespace assay::verify {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

/// Breadth-first: the nodes in the order in which they are met, and the node before each.
struct Tree {
  std::vector<std::uint32_t> order, before;

  Tree(const Graph& graph, const std::vector<std::uint32_t>& from)
      : before(graph.nodes(), kNone), seen_(graph.nodes(), false) {
    for (const std::uint32_t node : from) {
      meet(node, kNone);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::uint32_t node = order[i];
      for (std::uint64_t e = graph.begin[node]; e < graph.begin[node + 1]; ++e) {
        meet(graph.to[e], node);
      }
    }
  }
  /// From a first node to this one, both.
  [[nodiscard]] std::vector<std::uint32_t> path(std::uint32_t node) const {
    std::vector<std::uint32_t> out;
    for (; node != kNone; node = before[node]) {
      out.push_back(node);
    }
    std::reverse(out.begin(), out.end());
    return out;
  }

 private:
  void meet(std::uint32_t node, std::uint32_t from) {
    if (!seen_[node]) {
      seen_[node] = true;
      before[node] = from;
      order.push_back(node);
    }
  }
  std::vector<bool> seen_;
};

}  // namespace

std::optional<std::vector<std::uint32_t>> ranks_of(const Graph& graph,
                                                   const std::vector<bool>& accepting) {
  const Components components(graph);
  for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
    if (accepting[node] && components.on_cycle(components.of(node))) {
      return std::nullopt;
    }
  }
  std::vector<std::uint32_t> order(graph.nodes());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return components.of(a) < components.of(b); });
  std::vector<std::uint32_t> of_component(components.count(), 0);
  for (const std::uint32_t node : order) {  // successors are done, or of the same component
    std::uint32_t& rank = of_component[components.of(node)];
    for (std::uint64_t e = graph.begin[node]; e < graph.begin[node + 1]; ++e) {
      const std::uint32_t below = components.of(graph.to[e]);
      const std::uint32_t least = of_component[below] + (accepting[node] ? 1 : 0);
      rank = below == components.of(node) ? rank : std::max(rank, least);
    }
  }
  std::vector<std::uint32_t> out(graph.nodes());
  for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
    out[node] = of_component[components.of(node)];
  }
  return out;
}

std::optional<Lasso> lasso_of(const Graph& graph, const std::vector<std::uint32_t>& initial,
                              const std::vector<bool>& accepting,
                              const std::function<bool(std::uint64_t)>& allowed) {
  Graph part;
  for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
    for (std::uint64_t e = graph.begin[node]; e < graph.begin[node + 1]; ++e) {
      if (allowed(e)) {
        part.to.push_back(graph.to[e]);
      }
    }
    part.end_node();
  }
  const Components components(part);
  const Tree met(part, initial);
  const auto found = std::find_if(met.order.begin(), met.order.end(), [&](std::uint32_t node) {
    return accepting[node] && components.on_cycle(components.of(node));
  });
  if (found == met.order.end()) {
    return std::nullopt;
  }
  const std::uint32_t home = *found;
  const std::vector<std::uint32_t> after(
      part.to.begin() + static_cast<std::ptrdiff_t>(part.begin[home]),
      part.to.begin() + static_cast<std::ptrdiff_t>(part.begin[home + 1]));
  return Lasso{met.path(home), Tree(part, after).path(home)};
}

}  // namespace assay::verify
