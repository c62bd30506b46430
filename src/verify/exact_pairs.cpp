#include "exact_pairs.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

std::size_t hashed(std::uint64_t window, std::uint64_t state) {
  std::uint64_t z = window * 0x9e3779b97f4a7c15ULL + state * 0xc2b2ae3d27d4eb4fULL;
  z = (z ^ (z >> 29U)) * 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::size_t>(z ^ (z >> 32U));
}

}  // namespace

std::pair<ExactPairs::Id, bool> ExactPairs::number(WindowMachine::Index window,
                                                   std::uint32_t state) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hashed(window, state) & mask;
  for (; slots_[at] != kNone; at = (at + 1) & mask) {
    if (window_[slots_[at]] == window && state_[slots_[at]] == state) {
      return {slots_[at], false};
    }
  }
  require(window_.size() < kNone && state <= UINT16_MAX, "ExactPairs: 2^32 pairs or 2^16 states");
  const auto pair = static_cast<Id>(window_.size());
  slots_[at] = pair;
  window_.push_back(window);
  state_.push_back(static_cast<std::uint16_t>(state));
  if (window_.size() * 10 > slots_.size() * 7) {
    grow();
  }
  return {pair, true};
}

void ExactPairs::grow() {
  slots_.assign(slots_.size() * 2, kNone);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t p = 0; p < window_.size(); ++p) {
    std::size_t at = hashed(window_[p], state_[p]) & mask;
    while (slots_[at] != kNone) {
      at = (at + 1) & mask;
    }
    slots_[at] = static_cast<Id>(p);
  }
}

std::string ExactPairs::stopped(const ExactInput& input, const WindowMachine& machine,
                                std::size_t more) const {
  const std::size_t bytes = machine.bytes() + window_.capacity() * sizeof(WindowMachine::Index) +
                            state_.capacity() * sizeof(std::uint16_t) +
                            slots_.capacity() * sizeof(Id) + more;
  const std::size_t budget = input.limits.states;
  if (interrupted()) {
    return "interrupted by the user";
  }
  if (machine.size() > budget || window_.size() > budget) {
    return "the budget of " + std::to_string(budget) + " states (--states) is used up";
  }
  if (bytes > input.limits.bytes) {
    return "the memory limit of " + std::to_string(input.limits.bytes >> 20U) + " MiB is reached";
  }
  return "";
}

}  // namespace assay::verify
