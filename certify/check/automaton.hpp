#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "request.hpp"

namespace assay_check {

/// automaton.json: counts on model-sampled text. A letter of a state contains `must` and is
/// contained in `may` (bit i = aps[i]).
struct FittedAutomaton {
  struct State {
    std::uint64_t must = 0, may = 0;
  };
  std::vector<std::string> aps;
  MinP decoder;
  std::vector<std::vector<std::size_t>> prompts;
  std::size_t max_new = 0;
  std::vector<State> states;
  std::vector<std::size_t> initial;                  ///< at least one
  std::vector<std::vector<std::size_t>> successors;  ///< by state
};

/// Throws Reject("automaton" or "json", …).
[[nodiscard]] FittedAutomaton parse_automaton(const std::string& bytes, const std::string& file);

}  // namespace assay_check
