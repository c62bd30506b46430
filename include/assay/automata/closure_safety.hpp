#pragma once

#include <cstdint>
#include <vector>

#include "assay/automata/atoms.hpp"
#include "assay/automata/closure.hpp"
#include "assay/spec/dfa.hpp"

namespace assay::automata {

/// A closed graph walked together with a bad-prefix automaton; a letter is read at every emitted
/// token, undecided atoms both ways.
///
///   SIM   no bad state reached  |-  no run from the prompts has a bad prefix
struct ClosureSafety {
  struct BadEdge {
    ClosedGraph::Index from = 0;
    std::uint32_t token = 0;
    bool open = false;  ///< not witnessed
    auto operator<=>(const BadEdge&) const = default;
  };
  bool bad_reachable = false;
  std::vector<BadEdge> bad_edges;  ///< those that some reached pair turns bad on, ascending
  std::vector<TokenId> path;       ///< a shortest path to bad: the tokens from an initial state
  ClosedGraph::Index path_start = 0;
  std::size_t pairs = 0;  ///< reached
};

/// Breadth first; pairs that no word can turn bad any more are left out.
/// @param letters one a token: what is known of Spec::atoms (bit i) there in every context. @pre the graph is complete.
[[nodiscard]] ClosureSafety check_safety(const ClosedGraph& graph, const spec::Dfa& dfa,
                                         const std::vector<Letter>& letters);

}  // namespace assay::automata
