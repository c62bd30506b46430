#include <algorithm>
#include <unordered_set>

#include "progression.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxLetterBits = 12;
constexpr std::size_t kMaxWalk = 4'000'000;
constexpr std::size_t kMaxPairs = std::size_t{1} << 30;

/// The letter with bits over all atoms from one over the property's own atoms.
std::uint64_t spread(std::size_t letter, const std::vector<std::size_t>& atoms) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    bits |= std::uint64_t{letter >> i & 1} << atoms[i];
  }
  return bits;
}

/// DFA-MONITOR: from (φ, initial), wherever the residual of φ is false the DFA's state is bad; and
/// somewhere it is, for a property that no run violates says nothing.
void check_monitor(const Step& step, const DfaFact& dfa, Formulas& formulas, FormulaId f) {
  Progression monitor(formulas, f);
  std::unordered_set<std::uint64_t> seen;
  std::vector<std::pair<std::size_t, std::size_t>> open;
  bool violable = false;
  const auto visit = [&](std::size_t residual, std::size_t state) {
    violable = violable || monitor.is_false(residual);
    if (monitor.is_false(residual) && !dfa.bad[state]) {
      refuse(step, "state " + std::to_string(state) + " is reached by a bad prefix but not in B");
    }
    if (seen.insert(std::uint64_t{residual} << 32 | state).second) {
      open.emplace_back(residual, state);
    }
  };
  visit(monitor.initial(), dfa.initial);
  const std::size_t letters = std::size_t{1} << dfa.atoms.size();
  while (!open.empty()) {
    const auto [residual, state] = open.back();
    open.pop_back();
    if (seen.size() > kMaxWalk / letters) {
      refuse(step, "monitor and DFA together are over the limit");
    }
    for (std::size_t letter = 0; letter < letters; ++letter) {
      visit(monitor.step(residual, spread(letter, dfa.atoms)), dfa.table[state * letters + letter]);
    }
  }
  if (!violable) {
    refuse(step, "no run can violate the property: holding would say nothing");
  }
}

DfaFact read_dfa(const Step& step, Session& session) {
  if (step.premises.size() != 1 || step.words.size() < 4 || step.words[2] != "B") {
    refuse(step, "expected DFA PROP : states init B … T …");
  }
  DfaFact dfa;
  dfa.property = session.property(step.premises[0]);
  const std::uint64_t used = session.spec().properties[dfa.property].atoms;
  for (std::size_t i = 0; i < session.spec().atoms.size(); ++i) {
    if ((used >> i & 1) != 0) {
      dfa.atoms.push_back(i);
    }
  }
  if (dfa.atoms.size() > kMaxLetterBits) {
    refuse(step, "more than 12 aps in one property");
  }
  const std::size_t states = parse_nat(step.words[0]);
  dfa.initial = parse_nat_below(step.words[1], states, "a state");
  dfa.bad.resize(states);
  std::size_t at = 3;
  for (; at < step.words.size() && step.words[at] != "T"; ++at) {
    dfa.bad[parse_nat_below(step.words[at], states, "a state")] = true;
  }
  if (at == step.words.size() || step.words.size() - at - 1 != states << dfa.atoms.size()) {
    refuse(step, "the table does not have states x 2^aps entries");
  }
  for (++at; at < step.words.size(); ++at) {
    dfa.table.push_back(parse_nat_below(step.words[at], states, "a state"));
  }
  return dfa;
}

/// The letters of a state, over the property's own atoms: must ⊆ ℓ ⊆ may.
std::vector<std::size_t> letters_of(const FittedAutomaton::State& state,
                                    const std::vector<std::size_t>& atoms) {
  std::vector<std::size_t> letters;
  for (std::size_t letter = 0; letter < std::size_t{1} << atoms.size(); ++letter) {
    bool fits = true;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      const bool must = (state.must >> atoms[i] & 1) != 0;
      const bool may = (state.may >> atoms[i] & 1) != 0;
      fits = fits && ((letter >> i & 1) != 0 ? may : !must);
    }
    if (fits) {
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

// DFA
//   walking the progression of φ and the DFA together, residual false implies state in B
//   -----------------------------------------------------------------------------------
//   every bad prefix of φ that progression detects ends in B
void rule_dfa(Session& session, const Step& step) {
  DfaFact dfa = read_dfa(step, session);
  check_monitor(step, dfa, session.spec().formulas,
                session.spec().properties[dfa.property].formula);
  session.automata.emplace(step.id, std::move(dfa));
}

// INV
//   (s, δ(init, ℓ)) in I for every initial s and letter ℓ of s
//   (t, δ(q, ℓ)) in I for every (s, q) in I, edge s → t and letter ℓ of t       no q of I is in B
//   --------------------------------------------------------------------------------------------
//   the safety formula φ holds of every run of the fitted automaton
void rule_inv(Session& session, const Step& step) {
  if (step.premises.size() != 1) {
    refuse(step, "expected INV dID : s,q …");
  }
  const auto found = session.automata.find(std::string(step.premises[0]));
  if (found == session.automata.end() || found->second.property != session.property(step.id)) {
    refuse(step, "the premise is not a DFA of this property");
  }
  const DfaFact& dfa = found->second;
  const SpecProperty& property = session.spec().properties[dfa.property];
  if (!session.spec().formulas.is_safety(property.formula)) {
    refuse(step, "the property is not a safety formula");
  }
  session.need_sources(dfa.property);
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
