#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "assay/automata/emission_probability.hpp"
#include "exact_machine.hpp"
#include "exact_search.hpp"

namespace assay::verify {

/// The interval chain over pairs (window, state of an event's automaton) that a search met. State 0
/// is the event, 1 what can no longer become it; the others are the pairs.
///
///   EDGE   token t has chance [lo, hi] after u   |-  edge [lo, hi] from (u, q) to (ut, δ(q, ℓ)), ℓ the
///          letter of ut; where ut may have several letters, an edge [0, hi] to each
class WindowChain {
 public:
  static constexpr std::uint32_t kReached = 0, kSettled = 1;

  /// @pre the search is complete, under the same max_new.
  WindowChain(const ExactInput& input, const WindowMachine& machine, const spec::Dfa& event,
              const ExactSearch& search);

  [[nodiscard]] const automata::IntervalChain& chain() const { return chain_; }
  [[nodiscard]] std::vector<bool> marked() const;
  /// The state in which a prompt that ends in this window begins.
  [[nodiscard]] std::uint32_t initial(automata::WindowCode window) const;
  /// Of state s >= 2.
  [[nodiscard]] const ExactChance::Value& pair(std::uint32_t s) const { return pairs_[s - 2]; }
  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }

 private:
  [[nodiscard]] std::uint32_t state_of(WindowMachine::Index window, std::uint32_t spec) const;
  void add_row(WindowMachine::Index window, std::uint32_t spec,
               const std::vector<automata::Chance>& chances);

  const WindowMachine& machine_;
  const spec::Dfa& event_;
  std::vector<bool> can_be_reached_;
  std::unordered_map<std::uint64_t, std::uint32_t> state_;
  std::vector<ExactChance::Value> pairs_;
  automata::IntervalChain chain_;
  std::vector<automata::ChainEdge> row_;
};

}  // namespace assay::verify
