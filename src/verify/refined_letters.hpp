#pragma once

#include <vector>

#include "atoms.hpp"

namespace assay::verify {

/// The letters that a token may show: its own aps are decided, each measured ap (feature or readout) both ways.
class RefinedLetters {
 public:
  RefinedLetters(const CheckInput& input, const Atoms& atoms, const spec::Dfa& dfa);

  struct Measured {
    std::size_t bit = 0;   ///< of the property's letters
    std::size_t atom = 0;  ///< index into Spec::atoms
  };
  [[nodiscard]] const std::vector<Measured>& measured() const { return measured_; }
  [[nodiscard]] std::size_t vocabulary() const { return fixed_.size(); }
  /// The token's letter with no measured ap true.
  [[nodiscard]] std::size_t fixed(std::size_t token) const { return fixed_[token]; }
  /// Every letter of the token, ascending.
  [[nodiscard]] std::vector<std::size_t> of(std::size_t token) const;

 private:
  std::vector<Measured> measured_;
  std::vector<std::size_t> fixed_;  ///< [V]
};

}  // namespace assay::verify
