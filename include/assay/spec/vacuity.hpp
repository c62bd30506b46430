#pragma once

#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// The formula with every occurrence of one ap in one polarity replaced by the constant that
/// makes the formula strongest (false where it helps, true where it hurts). When the property
/// still holds, that ap plays no part in it there: the property holds vacuously.
/// Source: Beer, Ben-David, Eisner and Rodeh, "Efficient detection of vacuity in temporal model
/// checking", 2001.
struct Strengthening {
  std::size_t atom = 0;
  bool positive = false;  ///< the polarity that was replaced
  FormulaPtr formula;
};
/// By ascending atom, negative polarity first.
[[nodiscard]] std::vector<Strengthening> strengthenings(const FormulaPtr& formula);

enum class Content {
  contingent,     ///< some words satisfy it and some prefix refutes it
  valid,          ///< a safety formula that no prefix refutes: it says nothing
  unsatisfiable,  ///< no infinite word satisfies it: every prefix is bad
};
/// Throws UsageError when the automaton is over its limits.
[[nodiscard]] Content content(const FormulaPtr& formula);

}  // namespace assay::spec
