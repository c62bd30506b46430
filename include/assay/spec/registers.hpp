#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// What a run remembers of its past for the operators Y, O and H of one formula:
///
///   Y f       one bit, f at the position before          false at the first position
///   O f, H f  one bit, so far                            false, true before the first position
///   O[0:k] f  a count, for how many more positions f's last occurrence stays within reach
///   H[0:k] f  the same of !f, negated
class Registers {
 public:
  /// Throws UsageError over 64 past operators.
  explicit Registers(const FormulaPtr& formula);

  [[nodiscard]] std::uint32_t initial() const { return 0; }
  /// Truth of every past operator at a position whose letter is `atoms`: bit i = operator i.
  [[nodiscard]] std::uint64_t values(std::uint32_t state, std::uint64_t atoms) const;
  /// The memory after that letter.
  [[nodiscard]] std::uint32_t next(std::uint32_t state, std::uint64_t atoms);
  /// The number of a past operator of the formula.
  [[nodiscard]] std::size_t index(const Formula& past) const { return index_.at(&past); }

 private:
  using Memory = std::vector<std::uint32_t>;

  void collect(const FormulaPtr& f, std::map<const Formula*, bool>& seen);
  [[nodiscard]] bool holds(const Formula& f, std::uint64_t atoms, std::uint64_t past) const;
  std::uint32_t intern(const Memory& memory);

  std::vector<FormulaPtr> operators_;  ///< inner ones first
  std::map<const Formula*, std::size_t> index_;
  std::vector<Memory> memories_;
  std::map<Memory, std::uint32_t> memory_index_;
};

}  // namespace assay::spec
