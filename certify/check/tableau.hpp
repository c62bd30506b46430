#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "progression.hpp"

namespace assay_check {

/// A Büchi automaton whose language is the endless runs that satisfy a formula. A state is a set of formulas
/// that the rest of the run must satisfy and, of these, the owed ones: U and unbounded F that were there when
/// nothing was owed and are not fulfilled since. A step progresses each formula apart and takes one disjunct
/// of each; what has no U or unbounded F at its head and follows from another such formula is left out.
/// Accepting: nothing owed.
class Tableau {
 public:
  using State = std::size_t;

  Tableau(Formulas& formulas, FormulaId f);

  [[nodiscard]] const std::vector<State>& initial() const { return initial_; }
  [[nodiscard]] bool is_accepting(State s) const { return states_[s].second.empty(); }
  /// Ascending, each once. Bit i of `letter` is the truth of atom i. Rejects over the limits.
  [[nodiscard]] const std::vector<State>& next(State s, std::uint64_t letter);
  [[nodiscard]] std::size_t size() const { return states_.size(); }  ///< met so far

 private:
  using Set = std::vector<FormulaId>;  // sorted
  [[nodiscard]] State number(const std::pair<Set, Set>& state);
  [[nodiscard]] bool is_promise(FormulaId f) const;
  [[nodiscard]] Set reduced(const Set& all) const;

  Formulas& formulas_;
  Progression progression_;
  std::vector<std::pair<Set, Set>> states_;  ///< all, owed
  std::map<std::pair<Set, Set>, State> numbers_;
  std::map<std::pair<State, std::uint64_t>, std::vector<State>> next_;
  std::vector<State> initial_;
};

/// A graph by successors in which every node is reachable: some accepting node lies on a cycle.
[[nodiscard]] bool has_accepting_cycle(const std::vector<std::vector<std::size_t>>& next,
                                       const std::vector<bool>& accepting);

}  // namespace assay_check
