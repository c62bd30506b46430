#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/automata/suffix_bounds.hpp"
#include "assay/base/index.hpp"

namespace assay::automata {

/// Ends of prompts: one set a position, oldest first. Fewer sets than the window: prompts of
/// exactly that many tokens; as many as the window: prompts of that many or more.
using PromptEnd = std::vector<std::vector<TokenId>>;

/// The suffix machine closed forward from the prompts.
///
///   CLOSURE   the state of every prompt is here, and for every state s and token t: either t is
///             excluded in every context of s (whose older tokens are in D(s)), or t is an edge of s, its
///             target s' is here and what D(s) moves one position on lies in D(s')
///             |-  every run of the model under the decoder is a path (docs/theorems.md)
///
/// Without D every older token is free.
class ClosedGraph {
 public:
  using Index = std::uint32_t;
  /// token * 2 + (open ? 1 : 0): possible = witnessed + open.
  using Edge = std::uint16_t;

  explicit ClosedGraph(const WindowCodes& codes) : codes_(codes), slots_(1024, kFree) {}

  [[nodiscard]] const WindowCodes& codes() const { return codes_; }
  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] WindowCode state(Index i) const { return states_[i]; }
  [[nodiscard]] std::optional<Index> find(WindowCode state) const;
  /// States 0 … initial()−1 are ends of prompts.
  [[nodiscard]] std::size_t initial() const { return initial_; }
  /// Edges of the state, tokens ascending. @pre i < expanded().
  [[nodiscard]] std::span<const Edge> edges(Index i) const {
    return {edges_.data() + begin_[i], edges_.data() + begin_[i + 1]};
  }
  [[nodiscard]] Index target(Index from, std::size_t token) const {
    return *find(codes_.append(states_[from], token));
  }
  /// States whose edges are known: all of them when complete.
  [[nodiscard]] std::size_t expanded() const { return begin_.size() - 1; }
  [[nodiscard]] bool complete() const { return stopped_.empty(); }
  /// Why it is not closed; empty when it is.
  [[nodiscard]] const std::string& stopped() const { return stopped_; }
  [[nodiscard]] bool has_far() const { return !far_sets_.empty(); }
  /// D(s); all tokens when !has_far().
  [[nodiscard]] FarTokens far(Index i) const;
  [[nodiscard]] std::size_t bytes() const;

  struct Counts {
    std::size_t possible = 0, witnessed = 0, open = 0;
    std::size_t settled = 0;  ///< states without an open edge
  };
  [[nodiscard]] Counts counts() const;

 private:
  friend class ClosureSearch;
  friend class PredecessorSets;
  static constexpr Index kFree = UINT32_MAX;
  Index intern(WindowCode state);
  void grow();

  WindowCodes codes_;
  std::vector<WindowCode> states_;
  std::size_t initial_ = 0;
  std::vector<std::uint64_t> begin_{0};
  std::vector<Edge> edges_;
  std::vector<Index> slots_;
  std::vector<std::uint64_t> far_sets_;  ///< [size, far positions, words]
  std::vector<std::uint32_t> surely_;
  std::size_t far_words_ = 0;  ///< of one state
  std::string stopped_;
};

/// The edges of a closure's first states in their order, all that is needed to go on with it.
struct ClosurePart {
  std::vector<WindowCode> states;
  std::vector<std::uint64_t> begin{0};  ///< [states + 1]
  std::vector<ClosedGraph::Edge> edges;
};

/// What an earlier call left: nothing of it is bounded again. The caller answers for its being of the same model,
/// decoder, prompts and steps.
struct ClosureBegun {
  std::optional<ClosurePart>
      closed;  ///< the whole graph before the round below, if it is not the first closure
  std::size_t round = 0;  ///< 0: the first closure
  ClosurePart part;       ///< of that round
};

struct ClosureOptions {
  std::size_t states = 2'000'000;  ///< budget
  std::size_t threads = 1;         ///< the result does not depend on it
  std::size_t slope_steps = 0;     ///< of the first closure
  std::size_t rounds = 1;          ///< descending rounds with predecessor sets
  std::size_t round_steps = 12;    ///< slope steps of those
};

struct ClosureResult {
  ClosedGraph graph;
  SuffixWork work;                   ///< of all rounds
  std::vector<ClosedGraph> earlier;  ///< the graphs before the descending rounds
  std::size_t round = 0;             ///< that comes next, or was stopped
  std::optional<ClosedGraph> unfinished = std::nullopt;  ///< of a descending round that was stopped
};

/// Closes forward from the prompts, then runs the descending rounds:
///
///   PREDECESSORS   G closed, D(s) = the older tokens along G's edges and in the prompts
///                  |-  G without the edges excluded under D, and D, is closed
///
/// Over the budget, or interrupted, the graph so far comes back with !complete(); of a descending round as `unfinished`,
/// with the closed graph before it. Throws Error(artifact) when `begun` is not a closure of these prompts.
[[nodiscard]] ClosureResult close_forward(const SuffixBounds& bounds,
                                          const std::vector<PromptEnd>& prompts,
                                          const ClosureOptions& options,
                                          const ClosureBegun& begun = {});

}  // namespace assay::automata
