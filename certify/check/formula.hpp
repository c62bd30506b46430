#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace assay_check {

/// A formula of the specification language in negation normal form, hash-consed: equal
/// formulas have equal numbers.
using FormulaId = std::uint32_t;

enum class Op : std::uint8_t {
  constant_false,
  constant_true,
  atom,
  not_atom,
  and_,
  or_,
  next_weak,
  next_strong,
  until,
  weak_until,
  eventually,
  globally,
  yesterday,
  once,
  historically
};

struct Formula {
  static constexpr std::uint32_t kUnbounded = UINT32_MAX;
  Op op = Op::constant_false;
  FormulaId a = 0;  ///< left child, or the atom's index
  FormulaId b = 0;  ///< right child
  /// Bounds of F and G. Of the past (Y, O, H; O and H reach hi back) lo is what is remembered:
  /// Y f: f before; O f, H f: for how many more positions the last f (failure of f) counts.
  std::uint32_t lo = 0;
  std::uint32_t hi = 0;
  std::uint32_t height = 0;
};

/// The store of formulas. Throws Reject("spec", …) over its limit.
class Formulas {
 public:
  Formulas();
  static constexpr FormulaId kFalse = 0, kTrue = 1;

  [[nodiscard]] const Formula& at(FormulaId f) const { return nodes_[f]; }
  [[nodiscard]] FormulaId make(Op op, FormulaId a, FormulaId b = 0, std::uint32_t lo = 0,
                               std::uint32_t hi = 0);
  [[nodiscard]] FormulaId atom(std::uint32_t index) { return make(Op::atom, index); }
  /// The negation, pushed to the atoms: !(f U g) = !g W (!f & !g), !X f = X[!] !f, and so on.
  [[nodiscard]] FormulaId negate(FormulaId f);
  /// A formula at a position with this letter: its truth when it looks back only, and the formula
  /// with the letter in its memory.
  struct Reading {
    bool value, looks_ahead;
    FormulaId after;
  };
  [[nodiscard]] const Reading& read(FormulaId f, std::uint64_t letter);
  /// No U, no unbounded F (`cut`: no F at all), no X[!]: a violation shows after finitely many letters.
  [[nodiscard]] bool is_safety(FormulaId f, bool cut = false) const;

 private:
  std::vector<Formula> nodes_;
  std::map<std::tuple<Op, FormulaId, FormulaId, std::uint32_t, std::uint32_t>, FormulaId> index_;
  std::map<FormulaId, FormulaId> negations_;
  std::map<std::pair<FormulaId, std::uint64_t>, Reading> readings_;
};

}  // namespace assay_check
