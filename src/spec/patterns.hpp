#pragma once

#include <cstddef>
#include <optional>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// Where a pattern must hold. Source: Dwyer, Avrunin and Corbett, "Patterns in property
/// specifications for finite-state verification", 1999.
struct Scope {
  enum class Kind { globally, before, after, between, after_until } kind = Kind::globally;
  FormulaPtr begin;  ///< after, between, after_until
  FormulaPtr end;    ///< before, between, after_until
};

// The expansions of docs/spec-language.md. Those of `before` and `between`, which ask nothing when
// the end never comes, are written as safety formulas: F R -> (!p U R) as !p W (R | G !R).

/// p at no more than `times` positions of the scope; absent(p) is 0 times.
[[nodiscard]] FormulaPtr at_most(std::size_t times, const FormulaPtr& p, const Scope& scope);
[[nodiscard]] FormulaPtr exists(const FormulaPtr& p, const Scope& scope);
[[nodiscard]] FormulaPtr responds(const FormulaPtr& p, const FormulaPtr& q,
                                  std::optional<std::size_t> within, const Scope& scope);
/// s before the first p.
[[nodiscard]] FormulaPtr precedes(const FormulaPtr& s, const FormulaPtr& p, const Scope& scope);

}  // namespace assay::spec
