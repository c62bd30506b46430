#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exact_machine.hpp"

namespace assay::verify {

/// Pairs (window, state of a property's automaton), numbered in the order in which they are met.
class ExactPairs {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = UINT32_MAX;

  ExactPairs() : slots_(1024, kNone) {}

  /// The pair's number, and whether it is new. Throws PreconditionError above 2^32 - 1 pairs or 2^16 states.
  std::pair<Id, bool> number(WindowMachine::Index window, std::uint32_t state);

  [[nodiscard]] std::size_t size() const { return window_.size(); }
  [[nodiscard]] WindowMachine::Index window(std::size_t p) const { return window_[p]; }
  [[nodiscard]] std::uint32_t state(std::size_t p) const { return state_[p]; }
  [[nodiscard]] const std::vector<WindowMachine::Index>& windows() const { return window_; }

  /// Why a search with these pairs has to stop, `more` bytes of its own counted; empty when it need not.
  [[nodiscard]] std::string stopped(const ExactInput& input, const WindowMachine& machine,
                                    std::size_t more) const;

 private:
  void grow();

  std::vector<WindowMachine::Index> window_;
  std::vector<std::uint16_t> state_;
  std::vector<Id> slots_;  ///< open addressing; kNone where it is free
};

}  // namespace assay::verify
