#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exact_pairs.hpp"

namespace assay::verify {

/// Breadth-first search of the product of the window machine and a bad-prefix automaton, from
/// every window in which a prompt can end. Pairs from which no bad state can be reached any more
/// are left out.
class ExactSearch {
 public:
  using PairId = ExactPairs::Id;
  enum class Edges { possible, sure };  ///< sure: witnessed edges and decided letters only

  ExactSearch(const ExactInput& input, WindowMachine& machine, const spec::Dfa& dfa, Edges edges);

  /// @param on_bad is called with every bad pair met; true ends the search.
  void run(const std::function<bool(PairId)>& on_bad);

  [[nodiscard]] bool found_bad() const { return bad_ > 0; }
  /// Why the search is not complete; empty when it is.
  [[nodiscard]] const std::string& stopped() const { return stopped_; }
  /// True when every pair's successors are in the set; false when max_new cut the search.
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }
  [[nodiscard]] std::size_t depth() const { return levels_.size(); }
  [[nodiscard]] WindowMachine::Index window(PairId p) const { return pairs_.window(p); }
  [[nodiscard]] std::uint32_t spec(PairId p) const { return pairs_.state(p); }
  /// The step at which the pair is first reached.
  [[nodiscard]] std::uint32_t step(PairId p) const;
  /// The windows from an initial one to this pair's.
  [[nodiscard]] std::vector<WindowMachine::Index> path(PairId p) const;

 private:
  static constexpr PairId kNone = ExactPairs::kNone;
  void start();
  bool expand_level(std::size_t begin, std::size_t end);
  bool expand_block(std::size_t begin, std::size_t end);
  bool enter(WindowMachine::Index to, std::uint32_t from_spec, PairId parent);
  bool insert(WindowMachine::Index window, std::uint32_t spec, PairId parent);
  bool within_limits();

  const ExactInput& input_;
  WindowMachine& machine_;
  const spec::Dfa& dfa_;
  Edges edges_;
  std::vector<bool> can_turn_bad_;
  const std::function<bool(PairId)>* on_bad_ = nullptr;
  ExactPairs pairs_;
  std::vector<PairId> parent_;
  std::vector<std::size_t> levels_;  ///< first pair of each level
  std::size_t bad_ = 0;
  bool closed_ = false, ended_ = false;
  std::string stopped_;
};

}  // namespace assay::verify
