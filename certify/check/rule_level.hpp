#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dfa.hpp"
#include "machine.hpp"
#include "spec.hpp"

namespace assay_check {

using LevelUpdate = std::map<std::size_t, LevelForm>;  ///< of the property's levels

/// What a move meets: comparisons that the numbers before it decide, and where it arrives.
class LevelVisitor {
 public:
  virtual ~LevelVisitor() = default;
  /// Calls `next` with true under the row, with false under its negation.
  virtual void split(const LevelRow& row, const std::function<void(bool)>& next) = 0;
  virtual void arrive(std::size_t state, std::size_t q, const LevelUpdate& update) = 0;
};

/// The levels that a property compares and all that moves them; the aps that its letters are over.
struct LevelCone {
  LevelCone(const Spec& spec, const DfaFact& dfa, const Machine& machine);
  /// Reject for a row about other levels.
  void need(const Step& step, const LevelRow& row) const;

  std::vector<std::size_t> levels;                          ///< ascending, into Spec::levels
  std::vector<std::pair<std::size_t, std::size_t>> letter;  ///< atom of the spec, ap of the machine
};

/// Every letter of the edge, one after the other in the order of the page: levels ascending, their guards'
/// comparisons, min, max; then the property's comparisons of the values after it.
void move_levels(const Spec& spec, const DfaFact& dfa, const LevelCone& cone,
                 const Machine::Edge& edge, std::size_t q, LevelVisitor& visitor);

/// A set of values at a pair of a machine state and a DFA state.
struct LevelCell {
  std::size_t state = 0, q = 0;
  std::vector<LevelRow> rows;
  std::set<std::size_t> shown;  ///< edges of the state for which STEP showed where they lead
};

/// Kind level: the machine, and the sets of values that a DFA's steps gave.
class LevelFacts {
 public:
  explicit LevelFacts(Machine given) : machine(std::move(given)) {}

  struct Set {
    LevelCone cone;
    std::vector<LevelCell> cells;  ///< by number
    std::map<std::pair<std::size_t, std::size_t>, std::set<std::vector<Exact>>> points;
    std::size_t point_count = 0;
  };
  Machine machine;
  std::map<std::string, Set, std::less<>> sets;                                   ///< by DFA
  std::map<std::string, std::pair<std::string, std::size_t>, std::less<>> cells;  ///< DFA, number
};

}  // namespace assay_check
