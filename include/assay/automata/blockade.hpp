#pragma once

#include <cstddef>
#include <vector>

namespace assay::automata {

/// A machine's edge; `bad` when what must not happen may happen on it.
struct BlockEdge {
  std::size_t from = 0, to = 0;
  bool bad = false;
};

/// What leads to a bad edge, and what must be blocked so that none can be reached.
struct Blockade {
  bool reachable = false;             ///< else all lists are empty
  std::vector<std::size_t> shortest;  ///< edges of a shortest run, the last one bad
  std::vector<std::size_t> passes;  ///< states that every run to a bad edge passes, in their order
                                    ///< (dominators)
  std::vector<std::size_t> cut;     ///< edges, ascending: as few as can be (max-flow = min-cut)
};

/// Edges are indices into `edges`. A run starts in any of the `initial` states; states that no bad
/// edge is reached from do not matter. The result is checked: without the cut's edges no bad edge can
/// be reached, and as many runs as the cut has edges share none.
/// Throws PreconditionError for a state that is not below `states`.
[[nodiscard]] Blockade find_blockade(std::size_t states, const std::vector<BlockEdge>& edges,
                                     const std::vector<std::size_t>& initial);

}  // namespace assay::automata
