#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "assay/spec/registers.hpp"
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
/// X[!] step alike when a run goes on for ever (Ending::never). With Ending::anywhere (LTLf) the
/// residual of X f remembers that it is met, and that of X[!] f that it fails, when the run is over.
/// What looks back is a letter more: the registers say what it is worth at each position.
/// Source: Bacchus and Kabanza 1998; De Giacomo and Vardi 2013.
class Progression {
 public:
  using State = std::uint32_t;
  enum class Ending { never, anywhere };

  /// Throws UsageError when a residual needs more than 2,000 clauses.
  explicit Progression(const FormulaPtr& formula, Ending ending = Ending::never);

  [[nodiscard]] State initial() const { return initial_; }
  /// @param letter bit i is the truth of Spec::atoms[i].
  [[nodiscard]] State next(State state, std::uint64_t letter);
  [[nodiscard]] bool is_false(State state) const {
    return residuals_[states_[state].second].empty();
  }
  /// Whether the run may end here: every obligation left is one that the end meets.
  [[nodiscard]] bool accepts_end(State state) const;
  [[nodiscard]] std::size_t states() const { return states_.size(); }

 private:
  friend class Tableau;  ///< src/spec/buchi.cpp: the same steps, conjunct by conjunct
  using Node = std::uint32_t;
  struct Operation {
    Op op = Op::constant_true;
    std::size_t atom = 0;
    std::vector<Node> children;
    std::size_t lo = 0;
    std::optional<std::size_t> hi;
    auto operator<=>(const Operation&) const = default;
  };
  struct Letter {
    std::uint64_t atoms = 0;
    std::uint64_t past = 0;  ///< bit i: Registers::formulas()[i]
    auto operator<=>(const Letter&) const = default;
  };
  using Clause = std::vector<Node>;      ///< a conjunction, ascending; empty = true
  using Residual = std::vector<Clause>;  ///< a disjunction, ascending; empty = false

  Node intern(Operation operation);
  Node intern_formula(const FormulaPtr& formula, std::map<const Formula*, Node>& memo);
  State intern_state(std::uint32_t registers, Residual residual);
  [[nodiscard]] bool end_meets(Node node) const;
  [[nodiscard]] Residual after(Op op, Node node);
  [[nodiscard]] bool implies(Node a, Node b) const;
  [[nodiscard]] bool implies(const Clause& a, const Clause& b) const;
  [[nodiscard]] Clause joined(const Clause& a, const Clause& b) const;
  [[nodiscard]] Residual minimal(std::vector<Clause> clauses) const;
  [[nodiscard]] Residual conjunction(const Residual& a, const Residual& b) const;
  [[nodiscard]] Residual disjunction(const Residual& a, const Residual& b) const;
  [[nodiscard]] Residual of(Node node) const;
  const Residual& progressed(Node node, const Letter& letter);
  Residual progress(Node node, const Letter& letter);
  Residual progress_bounded(Node node, const Letter& letter);

  std::vector<Operation> nodes_;
  std::map<Operation, Node> index_;
  Ending ending_;
  Registers registers_;
  std::vector<Residual> residuals_;
  std::map<Residual, std::uint32_t> residual_index_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> states_;  ///< registers, residual
  std::map<std::pair<std::uint32_t, std::uint32_t>, State> state_index_;
  std::map<std::pair<Node, Letter>, Residual> memo_;
  std::uint64_t used_ = 0;  ///< bits of the atoms that occur
  State initial_ = 0;
};

}  // namespace assay::spec
