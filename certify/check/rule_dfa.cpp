#include <unordered_set>

#include "progression.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxLetterBits = 12;
constexpr std::size_t kMaxWalk = 4'000'000;

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
      visit(monitor.step(residual, spread_letter(letter, dfa.atoms)),
            dfa.table[state * letters + letter]);
    }
  }
  if (!violable) {
    refuse(step, "no run can violate the property: holding would say nothing");
  }
}

}  // namespace

std::vector<std::size_t> atoms_of(const Step& step, const SpecProperty& property) {
  std::vector<std::size_t> atoms;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((property.atoms >> i & 1) != 0) {
      atoms.push_back(i);
    }
  }
  if (atoms.size() > kMaxLetterBits) {
    refuse(step, "more than 12 aps in one property");
  }
  return atoms;
}

DfaFact read_dfa(const Step& step, Session& session, bool event) {
  if (step.premises.size() != 1 || step.words.size() < 4 || step.words[2] != "B") {
    refuse(step, "expected DFA PROP : states init B … T …");
  }
  DfaFact dfa;
  dfa.property = session.property(step.premises[0], event);
  dfa.is_event = event;
  dfa.atoms = atoms_of(step, session.spec().properties[dfa.property]);
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

std::uint64_t spread_letter(std::size_t letter, const std::vector<std::size_t>& atoms) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    bits |= std::uint64_t{letter >> i & 1} << atoms[i];
  }
  return bits;
}

std::size_t gathered_letter(std::uint64_t bits, const std::vector<std::size_t>& atoms) {
  std::size_t letter = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    letter |= static_cast<std::size_t>(bits >> atoms[i] & 1) << i;
  }
  return letter;
}

const DfaFact& dfa_of(const Session& session, const Step& step) {
  const auto found = step.premises.empty() ? session.automata.end()
                                           : session.automata.find(std::string(step.premises[0]));
  if (found == session.automata.end()) {
    refuse(step, "the premise is not a DFA");
  }
  return found->second;
}

const DfaFact& safety_dfa(Session& session, const Step& step) {
  const DfaFact& dfa = dfa_of(session, step);
  if (dfa.is_event || dfa.property != session.property(step.id) ||
      !session.spec().formulas.is_safety(session.spec().properties[dfa.property].formula)) {
    refuse(step, "the premise is not a DFA of this property, or it is not a safety formula");
  }
  session.need_sources(dfa.property);
  return dfa;
}

std::string words_of_due(Session& session, const Step& step, const SpecProperty& property) {
  const Runs& runs = session.runs();
  if ((!runs.max_new && runs.emission.mask != Emission::Mask::after) ||
      session.spec().formulas.is_safety(property.formula, true)) {
    return "";
  }
  if (property.some) {
    refuse(step, "runs may end before a bounded G of `some` does: nothing is shown of them");
  }
  return ", where an F that is not due before the run ends counts as kept";
}

std::vector<bool> settled_states(const DfaFact& dfa) {
  std::vector<bool> settled(dfa.bad.size());
  settled.flip();
  const std::size_t letters = std::size_t{1} << dfa.atoms.size();
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t q = 0; q < settled.size(); ++q) {
      bool still = settled[q] && !dfa.bad[q];
      for (std::size_t a = 0; a < letters && still; ++a) {
        still = settled[dfa.next(q, a)];
      }
      changed = changed || settled[q] != still;
      settled[q] = still;
    }
  }
  return settled;
}

// DFA
//   walking the progression of φ and the DFA together, residual false implies state in B
//   -----------------------------------------------------------------------------------
//   every bad prefix of φ that progression detects ends in B
void rule_dfa(Session& session, const Step& step) {
  DfaFact dfa = read_dfa(step, session, false);
  check_monitor(step, dfa, session.spec().formulas,
                session.spec().properties[dfa.property].formula);
  session.automata.emplace(step.id, std::move(dfa));
}

}  // namespace assay_check
