#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "components.hpp"

namespace assay::verify {

/// RANK: a number for every node with r(t) <= r(s) along every edge (s, t), and r(t) < r(s) where s
/// is accepting: no path goes through accepting nodes for ever. Nothing when some cycle does.
/// The numbers are the least possible.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> ranks_of(
    const Graph& graph, const std::vector<bool>& accepting);

/// A path from an initial node and a cycle through its last node, on which an accepting node lies.
struct Lasso {
  std::vector<std::uint32_t> stem;  ///< from an initial node to the cycle's first node, both
  std::vector<std::uint32_t> loop;  ///< the nodes after it; the last one is stem's last again
};
/// Only edges that `allowed` lets pass (by their place in Graph::to) are used. The stem is a
/// shortest one to an accepting node on a cycle.
[[nodiscard]] std::optional<Lasso> lasso_of(const Graph& graph,
                                            const std::vector<std::uint32_t>& initial,
                                            const std::vector<bool>& accepting,
                                            const std::function<bool(std::uint64_t)>& allowed);

}  // namespace assay::verify
