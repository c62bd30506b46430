#include <algorithm>
#include <set>

#include "progression.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWalk = 4'000'000;

/// EVENT-MONITOR: the DFA is in B exactly where no way on escapes a false residual of f.
void check_event(const Step& step, const DfaFact& dfa, Formulas& formulas, FormulaId f) {
  Progression monitor(formulas, f);
  const std::size_t letters = std::size_t{1} << dfa.atoms.size();
  std::vector<std::vector<std::size_t>> after;  // by residual, as they are met
  std::set<std::pair<std::size_t, std::size_t>> seen;
  std::vector<std::pair<std::size_t, std::size_t>> open;
  const auto visit = [&](std::size_t residual, std::size_t state) {
    if (seen.emplace(residual, state).second) {
      open.emplace_back(residual, state);
    }
  };
  visit(monitor.initial(), dfa.initial);
  while (!open.empty()) {
    const auto [residual, state] = open.back();
    open.pop_back();
    if (seen.size() > kMaxWalk / letters) {
      refuse(step, "monitor and DFA together are over the limit");
    }
    after.resize(std::max(after.size(), residual + 1));
    for (std::size_t letter = 0; letter < letters; ++letter) {
      const std::size_t next = monitor.step(residual, spread_letter(letter, dfa.atoms));
      after[residual].push_back(next);
      visit(next, dfa.table[state * letters + letter]);
    }
  }
  std::vector<bool> doomed(after.size(), false);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t r = 0; r < after.size(); ++r) {
      const bool now =
          !after[r].empty() &&
          (monitor.is_false(r) || std::all_of(after[r].begin(), after[r].end(),
                                              [&](std::size_t to) { return doomed[to]; }));
      changed = changed || now != doomed[r];
      doomed[r] = now;
    }
  }
  if (doomed[monitor.initial()] || std::find(doomed.begin(), doomed.end(), true) == doomed.end()) {
    refuse(step, "the event is certain or impossible: a bound would say nothing");
  }
  for (const auto& [residual, state] : seen) {
    if (doomed[residual] != dfa.bad[state]) {
      refuse(step, "state " + std::to_string(state) + " and the formula disagree on the event");
    }
  }
}

}  // namespace

// EVENT
//   f = ¬φ if that is a safety formula (the event makes φ certain), else f = φ, a safety formula (it
//   rules φ out); walking the progression of f and the DFA together: in B iff no way on escapes false
//   -----------------------------------------------------------------------------------------------
//   the DFA is in B after w exactly when every run that begins with w satisfies, or violates, φ
void rule_event(Session& session, const Step& step) {
  DfaFact dfa = read_dfa(step, session, true);
  Formulas& formulas = session.spec().formulas;
  FormulaId f = formulas.negate(session.spec().properties[dfa.property].formula);
  dfa.is_formula = formulas.is_safety(f);
  if (!dfa.is_formula) {
    f = session.spec().properties[dfa.property].formula;
    if (!formulas.is_safety(f)) {
      refuse(step, "neither the formula nor its opposite is a safety formula");
    }
  }
  check_event(step, dfa, formulas, f);
  session.automata.emplace(step.id, std::move(dfa));
}

}  // namespace assay_check
