#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

// Plain constructors: they build what is written and simplify nothing, so that the aps of a
// formula are those of its text.
[[nodiscard]] FormulaPtr constant(bool value);
[[nodiscard]] FormulaPtr atom(std::size_t index);
[[nodiscard]] FormulaPtr negation(FormulaPtr f);
/// @pre Op::and_ or Op::or_, at least one child.
[[nodiscard]] FormulaPtr junction(Op op, std::vector<FormulaPtr> children);
[[nodiscard]] FormulaPtr implication(const FormulaPtr& left, const FormulaPtr& right);
[[nodiscard]] FormulaPtr equivalence(const FormulaPtr& left, const FormulaPtr& right);
/// @pre Op::next_weak or Op::next_strong.
[[nodiscard]] FormulaPtr next(Op op, FormulaPtr f);
/// @pre Op::until or Op::weak_until.
[[nodiscard]] FormulaPtr until(Op op, FormulaPtr left, FormulaPtr right);
/// F[lo:hi] f or G[lo:hi] f; no hi = unbounded.
[[nodiscard]] FormulaPtr bounded(Op op, FormulaPtr f, std::size_t lo = 0,
                                 std::optional<std::size_t> hi = std::nullopt);

/// Negation normal form: not_ only above atoms. The dual of `a U b` is `!b W (!a & !b)`, of
/// `a W b` it is `!b U (!a & !b)`, of X it is X[!], of F[lo:hi] it is G[lo:hi].
[[nodiscard]] FormulaPtr negation_normal_form(const FormulaPtr& formula);

/// Syntactic safety: the negation normal form has no U, no unbounded F and no X[!].
[[nodiscard]] bool is_safety(const FormulaPtr& formula);

/// Number of nodes of the formula as a tree, and its height; both stop counting at `limit`.
struct Extent {
  std::size_t nodes = 0;
  std::size_t depth = 0;
};
[[nodiscard]] Extent extent(const FormulaPtr& formula, std::size_t limit);

/// Fully parenthesised, with the aps' names; for messages.
[[nodiscard]] std::string formula_text(const FormulaPtr& formula, const std::vector<Atom>& atoms);

}  // namespace assay::spec
