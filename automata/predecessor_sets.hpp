#pragma once

#include <vector>

#include "assay/automata/closure.hpp"

namespace assay::automata {

/// D(s) of PREDECESSORS: for every state of a closed graph the tokens that may stand before its
/// known ones, the least sets with
///   D(s) ∋ the prompts' older tokens, where a prompt ends in s
///   D_0(s') ∋ the oldest known token of s,  D_j+1(s') ⊇ D_j(s)      for every edge s → s'
/// and the least number of tokens that a context of s can have.
class PredecessorSets {
 public:
  /// @param far_positions of SuffixBounds. @pre the graph is complete.
  PredecessorSets(const ClosedGraph& graph, const std::vector<PromptEnd>& prompts,
                  std::size_t vocabulary, std::size_t far_positions);

  [[nodiscard]] FarTokens of(ClosedGraph::Index state) const {
    return {std::span(sets_).subspan(state * width_, width_), surely_[state]};
  }
  /// Gives the sets of the states that are also in `to`, to it.
  void move_to(ClosedGraph& to) const;

 private:
  void from_prompts(const std::vector<PromptEnd>& prompts);
  void lengths();
  void along_edges();

  const ClosedGraph& graph_;
  std::size_t words_, far_, width_;
  std::vector<std::uint64_t> sets_;    ///< [states, far, words]
  std::vector<std::uint32_t> length_;  ///< least number of tokens, not above far + known
  std::vector<std::uint32_t> surely_;
};

}  // namespace assay::automata
