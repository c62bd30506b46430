#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "exact_pairs.hpp"
#include "ranks.hpp"

namespace assay::verify {

/// The product of the window machine and a Büchi automaton of the runs that violate a property,
/// from every window in which a prompt can end: ranks, or a lasso.
class LiveProduct {
 public:
  LiveProduct(const ExactInput& input, WindowMachine& machine, const spec::Buchi& against);

  /// Explores every possible edge; false when a budget ended it first.
  bool explore();
  /// Why not; empty when it is complete.
  [[nodiscard]] const std::string& stopped() const { return stopped_; }

  /// No cycle of possible edges is accepted: the pairs with their ranks, ascending.
  [[nodiscard]] std::optional<std::vector<ExactEndless::Pair>> ranked() const;
  /// A lasso of edges that are surely there, with letters that are decided.
  struct SureLasso {
    std::vector<WindowMachine::Index> windows;  ///< a prompt's, then one a token
    std::size_t loop = 0;                       ///< the last so many tokens come for ever
  };
  [[nodiscard]] std::optional<SureLasso> sure_lasso() const;

  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }
  [[nodiscard]] std::vector<WindowMachine::Index> windows() const;  ///< ascending, each once

 private:
  using PairId = ExactPairs::Id;
  void start();
  void expand_block(std::size_t begin, std::size_t end);
  void expand(PairId pair);
  bool within_limits();
  [[nodiscard]] std::vector<bool> accepting() const;

  const ExactInput& input_;
  WindowMachine& machine_;
  const spec::Buchi& against_;
  ExactPairs pairs_;
  std::vector<PairId> initial_;
  Graph graph_;
  std::vector<bool> sure_;  ///< of each edge of graph_
  std::string stopped_;
};

}  // namespace assay::verify
