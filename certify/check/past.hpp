#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "formula.hpp"

namespace assay_check {

/// The operators of the past in one formula. Each has one number of memory: Y f keeps f, O f and
/// H f what was so far, O[0:k] f and H[0:k] f for how many more positions the last f (the last
/// failure of f) counts.
class Past {
 public:
  using Memory = std::vector<std::uint32_t>;
  static constexpr std::size_t kFirstBit = 31;  ///< above the atoms of a letter
  static constexpr std::size_t kMost = 33;

  /// Throws Reject("spec", …) over 33 operators of the past.
  Past(const Formulas& formulas, FormulaId f);

  [[nodiscard]] const Memory& start() const { return start_; }
  /// The letter with the truth of every operator of the past beside the atoms.
  [[nodiscard]] std::uint64_t complete(const Memory& memory, std::uint64_t letter) const;
  /// @param letter completed.
  [[nodiscard]] Memory after(const Memory& memory, std::uint64_t letter) const;
  [[nodiscard]] bool holds(FormulaId f, std::uint64_t letter) const;

 private:
  const Formulas& formulas_;
  std::vector<FormulaId> operators_;  // inner ones first
  std::map<FormulaId, std::size_t> bit_;
  Memory start_;
};

[[nodiscard]] bool is_past(Op op);

/// No operator of the future anywhere.
[[nodiscard]] bool looks_back_only(const Formulas& formulas, FormulaId f);

}  // namespace assay_check
