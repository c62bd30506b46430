#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// Formula progression: what is left to hold after a letter was read.
///
///   BAD-PREFIX   the residual of φ over w is false  |-  no word that begins with w satisfies φ
///
/// A residual is kept as the minimal disjunctive normal form over temporal subformulas, which
/// is canonical for positive Boolean combinations, so that there are finitely many. Bounded
/// operators step their own bounds (F[2:5] p, F[1:4] p, …) and absorb one another:
/// F[a:b] p implies F[a':b'] p when [a,b] lies in [a',b']; for G the other way round. X and
/// X[!] step alike: a run goes on for ever.
/// Source: Bacchus and Kabanza 1998; De Giacomo and Vardi 2013.
class Progression {
 public:
  using State = std::uint32_t;

  /// Throws UsageError when a residual needs more than 2,000 clauses.
  explicit Progression(const FormulaPtr& formula);

  [[nodiscard]] State initial() const { return initial_; }
  /// @param letter bit i is the truth of Spec::atoms[i].
  [[nodiscard]] State next(State state, std::uint64_t letter);
  [[nodiscard]] bool is_false(State state) const { return residuals_[state].empty(); }
  [[nodiscard]] std::size_t states() const { return residuals_.size(); }

 private:
  using Node = std::uint32_t;
  struct Operation {
    Op op = Op::constant_true;
    std::size_t atom = 0;
    std::vector<Node> children;
    std::size_t lo = 0;
    std::optional<std::size_t> hi;
    auto operator<=>(const Operation&) const = default;
  };
  using Clause = std::vector<Node>;      ///< a conjunction, ascending; empty = true
  using Residual = std::vector<Clause>;  ///< a disjunction, ascending; empty = false

  Node intern(Operation operation);
  Node intern_formula(const FormulaPtr& formula, std::map<const Formula*, Node>& memo);
  State intern_residual(Residual residual);
  [[nodiscard]] bool implies(Node a, Node b) const;
  [[nodiscard]] bool implies(const Clause& a, const Clause& b) const;
  [[nodiscard]] Clause joined(const Clause& a, const Clause& b) const;
  [[nodiscard]] Residual minimal(std::vector<Clause> clauses) const;
  [[nodiscard]] Residual conjunction(const Residual& a, const Residual& b) const;
  [[nodiscard]] Residual disjunction(const Residual& a, const Residual& b) const;
  [[nodiscard]] Residual of(Node node) const;
  const Residual& progressed(Node node, std::uint64_t letter);
  Residual progress(Node node, std::uint64_t letter);
  Residual progress_bounded(Node node, std::uint64_t letter);

  std::vector<Operation> nodes_;
  std::map<Operation, Node> index_;
  std::vector<Residual> residuals_;
  std::map<Residual, State> residual_index_;
  std::map<std::pair<Node, std::uint64_t>, Residual> memo_;
  std::uint64_t used_ = 0;  ///< bits of the atoms that occur
  State initial_ = 0;
};

}  // namespace assay::spec
