#include "assay/verify/verdict.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::verify {

Holds::Holds(const automata::Product& product, std::vector<automata::ProductState> invariant)
    : dfa_(*product.dfa), invariant_(std::move(invariant)) {
  require(std::is_sorted(invariant_.begin(), invariant_.end()), "Holds: the pairs are not sorted");
  const auto closed_under = [&](StateId state, std::uint32_t q) {
    for (const std::size_t letter : product.letters[state.at()]) {
      const automata::ProductState to{state, dfa_.next(q, letter)};
      require(std::binary_search(invariant_.begin(), invariant_.end(), to),
              "Holds: the pairs are not closed");
    }
  };
  for (const auto& [state, count] : product.automaton->initial) {
    closed_under(state, 0);
  }
  for (const automata::ProductState& pair : invariant_) {
    require(!dfa_.bad[pair.spec], "Holds: a bad pair");
    for (const StateId to : product.after[pair.state.at()]) {
      closed_under(to, pair.spec);
    }
  }
}

const char* name(const Verdict& verdict) {
  static constexpr const char* kNames[] = {"holds", "violated", "unknown"};
  return kNames[verdict.index()];
}

}  // namespace assay::verify
