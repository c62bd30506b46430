#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

inline constexpr std::size_t kMaxBuchiStates = 2000;

/// A Büchi automaton whose language is the endless runs that satisfy a formula: a run is accepted
/// when some way through the automaton meets accepting states for ever.
struct Buchi {
  std::vector<std::size_t> atoms;  ///< indices into Spec::atoms, ascending: bit i of a letter
  std::vector<bool> accepting;     ///< [states]
  std::vector<std::uint32_t> initial;
  std::vector<std::vector<std::uint32_t>> table;  ///< [states x 2^atoms], row by row, ascending

  [[nodiscard]] std::size_t states() const { return accepting.size(); }
  [[nodiscard]] std::size_t letters() const { return std::size_t{1} << atoms.size(); }
  [[nodiscard]] const std::vector<std::uint32_t>& next(std::uint32_t state,
                                                       std::size_t letter) const {
    return table[state * letters() + letter];
  }
  /// The automaton's letter of a word over Spec::atoms.
  [[nodiscard]] std::size_t project(std::uint64_t all) const;
  /// No endless run is accepted.
  [[nodiscard]] bool is_empty() const;
};

/// Formula progression with the conjuncts kept apart, and what is owed counted off (Miyano and
/// Hayashi 1984 on the alternating automaton of Gastin and Oddoux 2001): a state is a set of
/// formulas that the rest of the run must satisfy, and of these the U and unbounded F that were
/// there when nothing was owed and are not fulfilled since. Nothing owed: accepting.
///
/// Throws UsageError over 2,000 states, 12 atoms or 500,000 table entries.
[[nodiscard]] Buchi buchi(const FormulaPtr& formula);

}  // namespace assay::spec
