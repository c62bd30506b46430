#pragma once

#include <vector>

#include "assay/automata/hoa.hpp"

namespace assay::verify {

/// A given machine without what no run uses: edges whose label is false, states that cannot go on to an accepted run.
class GivenMachine {
 public:
  /// Throws UsageError when no run is left, and for a label with more than 16 aps.
  explicit GivenMachine(const automata::Hoa& hoa);

  [[nodiscard]] const automata::Hoa& hoa() const { return hoa_; }
  [[nodiscard]] bool live(std::size_t s) const { return live_[s]; }
  /// Places in Hoa::edges, ascending: the edges of a live state that runs use.
  [[nodiscard]] const std::vector<std::size_t>& edges(std::size_t s) const { return edges_[s]; }

 private:
  void find_live();
  void drop_dead();

  const automata::Hoa& hoa_;
  std::vector<std::vector<std::size_t>> edges_;
  std::vector<bool> live_;
};

/// The machine with nothing but the states and edges of runs. @pre endless runs, each accepted.
[[nodiscard]] automata::Hoa without_dead(const GivenMachine& machine);

}  // namespace assay::verify
