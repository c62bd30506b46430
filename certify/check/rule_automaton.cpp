#include <algorithm>

#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxPairs = std::size_t{1} << 30;

/// The letters of a state, over the property's own atoms: must ⊆ ℓ ⊆ may.
std::vector<std::size_t> letters_of(const FittedAutomaton::State& state,
                                    const std::vector<std::size_t>& atoms) {
  const std::size_t count = std::size_t{1} << atoms.size();
  const std::uint64_t must = state.must & spread_letter(count - 1, atoms);
  std::vector<std::size_t> letters;
  for (std::size_t letter = 0; letter < count; ++letter) {
    const std::uint64_t bits = spread_letter(letter, atoms);
    if ((must & ~bits) == 0 && (bits & ~std::uint64_t{state.may}) == 0) {
      letters.push_back(letter);
    }
  }
  return letters;
}

/// The set of pairs of an INV step.
class Invariant {
 public:
  Invariant(const Step& step, std::size_t states, const DfaFact& dfa)
      : step_(step), dfa_(dfa), dfa_states_(dfa.bad.size()), member_(states * dfa_states_) {
    std::pair<std::size_t, std::size_t> last;
    for (const std::string_view word : step.words) {
      const std::size_t comma = std::min(word.find(','), word.size());
      const std::size_t s = parse_nat_below(word.substr(0, comma), states, "a state");
      const std::size_t q = parse_nat_below(word.substr(std::min(comma + 1, word.size())),
                                            dfa_states_, "a DFA state");
      if (!pairs_.empty() && !(last < std::pair(s, q))) {
        refuse(step, "pairs are not sorted and unique");
      }
      if (dfa.bad[q]) {
        refuse(step, "a pair with a bad state");
      }
      last = {s, q};
      pairs_.push_back(last);
      member_[s * dfa_states_ + q] = true;
    }
  }

  [[nodiscard]] const std::vector<std::pair<std::size_t, std::size_t>>& pairs() const {
    return pairs_;
  }

  /// Every letter of t leads from DFA state q into the set.
  void need_entered(std::size_t t, std::size_t q, const std::vector<std::size_t>& letters) const {
    for (const std::size_t letter : letters) {
      const std::size_t next = dfa_.table[(q << dfa_.atoms.size()) + letter];
      if (!member_[t * dfa_states_ + next]) {
        refuse(step_, "pair " + std::to_string(t) + "," + std::to_string(next) +
                          " is reached but not in the set");
      }
    }
  }

 private:
  const Step& step_;
  const DfaFact& dfa_;
  std::size_t dfa_states_;
  std::vector<bool> member_;
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

}  // namespace

// INV
//   (s, δ(init, ℓ)) in I for every initial s and letter ℓ of s
//   (t, δ(q, ℓ)) in I for every (s, q) in I, edge s → t and letter ℓ of t       no q of I is in B
//   --------------------------------------------------------------------------------------------
//   the safety formula φ holds of every run of the fitted automaton
void rule_inv(Session& session, const Step& step) {
  if (step.premises.size() != 1) {
    refuse(step, "expected INV dID : s,q …");
  }
  const DfaFact& dfa = safety_dfa(session, step);
  const SpecProperty& property = session.spec().properties[dfa.property];
  const FittedAutomaton& automaton = session.automaton();
  if (automaton.states.size() > kMaxPairs / dfa.bad.size()) {
    refuse(step, "states x DFA states are over the limit");
  }
  std::vector<std::vector<std::size_t>> letters;
  for (const FittedAutomaton::State& state : automaton.states) {
    letters.push_back(letters_of(state, dfa.atoms));
  }
  const Invariant invariant(step, automaton.states.size(), dfa);
  for (const std::size_t s : automaton.initial) {
    invariant.need_entered(s, dfa.initial, letters[s]);
  }
  for (const auto& [s, q] : invariant.pairs()) {
    for (const std::size_t t : automaton.successors[s]) {
      invariant.need_entered(t, q, letters[t]);
    }
  }
  session.conclusions.push_back({step.id, "OBSERVED",
                                 "HOLDS of every run of the fitted automaton (" +
                                     std::to_string(automaton.states.size()) + " states): all " +
                                     property.text});
}

}  // namespace assay_check
