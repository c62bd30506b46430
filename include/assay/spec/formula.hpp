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

/// Op::yesterday.
[[nodiscard]] FormulaPtr yesterday(FormulaPtr f);
/// O[lo:hi] f or H[lo:hi] f, over the past: O[lo:hi] f = Y … Y O[0:hi-lo] f, lo times Y, and
/// H[lo:hi] f = !O[lo:hi] !f. @pre Op::once or Op::historically.
[[nodiscard]] FormulaPtr past_bounded(Op op, const FormulaPtr& f, std::size_t lo = 0,
                                      std::optional<std::size_t> hi = std::nullopt);
/// Y, O and H.
[[nodiscard]] bool is_past(Op op);
/// No X, F, G, U, W anywhere: what stands under a past operator.
[[nodiscard]] bool looks_back_only(const FormulaPtr& formula);

/// Negation normal form: not_ only above atoms and past operators. The dual of `a U b` is `!b W (!a & !b)`, of
/// `a W b` it is `!b U (!a & !b)`, of X it is X[!], of F[lo:hi] it is G[lo:hi].
[[nodiscard]] FormulaPtr negation_normal_form(const FormulaPtr& formula);

/// Syntactic safety: the negation normal form has no U, no unbounded F and no X[!]. What only
/// looks back is as good as an atom. `cut`: of runs that end, where a bounded F may come too late: no F at all.
[[nodiscard]] bool is_safety(const FormulaPtr& formula, bool cut = false);

/// Number of nodes of the formula as a tree, and its height; both stop counting at `limit`.
struct Extent {
  std::size_t nodes = 0;
  std::size_t depth = 0;
};
[[nodiscard]] Extent extent(const FormulaPtr& formula, std::size_t limit);

/// Fully parenthesised, with the aps' names; for messages.
[[nodiscard]] std::string formula_text(const FormulaPtr& formula, const std::vector<Atom>& atoms);

}  // namespace assay::spec
