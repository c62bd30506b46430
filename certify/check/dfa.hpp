#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay_check {

class Session;
class Windows;     // windows.hpp
class Refinement;  // refinement.hpp
struct Step;
struct SpecProperty;

/// What DFA showed: every bad prefix of the property that progression detects ends in a bad state.
struct DfaFact {
  std::size_t property = 0;        ///< index into Spec::properties
  std::vector<std::size_t> atoms;  ///< bit i of a letter speaks of atoms[i]
  std::size_t initial = 0;
  std::vector<bool> bad;
  std::vector<std::size_t> table;  ///< [states, 2^atoms]
  bool is_event = false;           ///< EVENT: bad is exactly what no run escapes from
  bool is_formula = false;  ///< EVENT: bad means that φ is certain; else that it is ruled out

  [[nodiscard]] std::size_t next(std::size_t state, std::size_t letter) const {
    return table[(state << atoms.size()) + letter];
  }
};

/// What BUCHI showed: every endless run that violates the property (of `some`: that satisfies it) is accepted.
struct BuchiFact {
  std::size_t property = 0;
  std::vector<std::size_t> atoms, initial;
  std::vector<bool> accepting;
  std::vector<std::vector<std::size_t>> table;  ///< [states, 2^atoms]
};

/// The letter with bits over all atoms from one over the property's own atoms, and back.
[[nodiscard]] std::uint64_t spread_letter(std::size_t letter,
                                          const std::vector<std::size_t>& atoms);
[[nodiscard]] std::size_t gathered_letter(std::uint64_t bits,
                                          const std::vector<std::size_t>& atoms);

/// The words of a DFA or EVENT step, about its property; nothing is shown yet.
[[nodiscard]] DfaFact read_dfa(const Step& step, Session& session, bool event);
/// The first premise, a DFA.
[[nodiscard]] const DfaFact& dfa_of(const Session& session, const Step& step);
/// The same, of the property that the step concludes: a safety formula, its sources given.
[[nodiscard]] const DfaFact& safety_dfa(Session& session, const Step& step);
/// Where runs may end before a bounded F is due: what is said of it, Reject for `some`. Else nothing.
[[nodiscard]] std::string words_of_due(Session& session, const Step& step,
                                       const SpecProperty& property);
/// Windows are read for the atoms of every monitor so far, so that they are evaluated once.
void read_every_atom(Session& session);
/// The atoms of a property, by index; reject over 12.
[[nodiscard]] std::vector<std::size_t> atoms_of(const Step& step, const SpecProperty& property);
/// States from which no word leads to B.
[[nodiscard]] std::vector<bool> settled_states(const DfaFact& dfa);

// The rules about runs.
void rule_dfa(Session& session, const Step& step);
void rule_inv(Session& session, const Step& step);
void rule_witness(Session& session, const Step& step);
void rule_windows(Session& session, const Step& step);
void rule_exact(Session& session, const Step& step);
void rule_buchi(Session& session, const Step& step);
void rule_live(Session& session, const Step& step);
void rule_lasso(Session& session, const Step& step);
void rule_lemma(Session& session, const Step& step);
void rule_out(Session& session, const Step& step);
void rule_atom(Session& session, const Step& step);
void rule_never(Session& session, const Step& step);
void rule_state(Session& session, const Step& step);
void rule_refined(Session& session, const Step& step);
void rule_event(Session& session, const Step& step);
void rule_pair(Session& session, const Step& step);
void rule_chance(Session& session, const Step& step);
void rule_most(Session& session, const Step& step);
void rule_leaf(Session& session, const Step& step);
void rule_chance_boxes(Session& session, const Step& step);

}  // namespace assay_check
