#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "formula.hpp"

namespace assay_check {

/// A monitor by formula progression: after a finite word the residual says what the rest of
/// the run must satisfy. Residuals are disjunctions of conjunctions of formulas, absorbed and
/// numbered; a residual that is false means that the word read so far is a bad prefix.
///
///   prog(G f) = prog(f) & G f      prog(F f) = prog(f) | F f     prog(X f) = prog(X[!] f) = f
///   prog(f U g) = prog(g) | (prog(f) & f U g)                    prog(f W g) alike
///   prog(G[a:b] f) = G[a-1:b-1] f for a > 0, else prog(f) & G[0:b-1] f     F[a:b] alike with |
///   then Y, O, H inside take the letter into their memory
class Progression {
 public:
  using ResidualId = std::size_t;
  using Cube = std::vector<FormulaId>;  // a conjunction, sorted
  using Dnf = std::vector<Cube>;        // a disjunction, sorted; empty = false

  Progression(Formulas& formulas, FormulaId f);

  [[nodiscard]] ResidualId initial() const { return initial_; }
  [[nodiscard]] bool is_false(ResidualId r) const { return residuals_[r].empty(); }
  /// Bit i of `letter` is the truth of atom i.
  [[nodiscard]] ResidualId step(ResidualId r, std::uint64_t letter);
  // The steps of one formula, for the tableau.
  [[nodiscard]] Dnf expand(FormulaId f) const;  // a formula about the rest of the run
  [[nodiscard]] const Dnf& progress(FormulaId f, std::uint64_t letter);
  [[nodiscard]] bool implies(FormulaId f, FormulaId g) const;

 private:
  [[nodiscard]] ResidualId number(const Dnf& dnf);
  [[nodiscard]] bool implies(const Cube& f, const Cube& g) const;
  [[nodiscard]] Cube simplify(Cube cube) const;
  [[nodiscard]] Dnf absorb(Dnf dnf) const;
  [[nodiscard]] Dnf conjunction(const Dnf& f, const Dnf& g) const;
  [[nodiscard]] Dnf disjunction(Dnf f, const Dnf& g) const;
  [[nodiscard]] Dnf progress_bounded(const Formula& n, FormulaId f, std::uint64_t letter);

  Formulas& formulas_;
  std::vector<Dnf> residuals_;
  std::map<Dnf, ResidualId> numbers_;
  std::map<std::pair<FormulaId, std::uint64_t>, Dnf> memo_;
  ResidualId initial_ = 0;
};

}  // namespace assay_check
