#pragma once

#include <cstdint>
#include <vector>

#include "assay/automata/interval_chain.hpp"

namespace assay::automata {

/// Strongly connected components over edges that nature can use, successors first. Unusable:
/// edges with hi = 0, and whatever `skip` marks.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> components_of(const IntervalChain& chain,
                                                                    const std::vector<bool>& skip);

/// For each state those with an edge of hi > 0 to it.
class Predecessors {
 public:
  explicit Predecessors(const IntervalChain& chain);
  [[nodiscard]] std::span<const std::uint32_t> of(std::size_t s) const {
    return std::span(from_).subspan(begin_[s], begin_[s + 1] - begin_[s]);
  }

 private:
  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> from_;
};

/// States from which a marked one can be reached over edges with hi > 0; the marked ones too.
[[nodiscard]] std::vector<bool> can_reach(const IntervalChain& chain,
                                          const std::vector<bool>& marked);

/// Maximal sets inside `component` in which nature can stay for ever and go round.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> end_components(
    const IntervalChain& chain, const std::vector<std::uint32_t>& component);

}  // namespace assay::automata
