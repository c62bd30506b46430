#pragma once

#include <vector>

#include "assay/spec/spec.hpp"
#include "level_cells.hpp"

namespace assay::verify {

/// Rows that may be invariant, a cell for each control that boxes do not rule out; nothing here is
/// trusted. k = 1: for each level an interval (from where the numbers went, widened to thresholds and
/// fixed points), and every comparison of the spec and its negation. k > 1: also what must hold so that no
/// step of the next k - 1 ends at a bad control, guards left out: k-induction folded into one state.
[[nodiscard]] std::vector<LevelCell> propose_cells(const spec::Spec& spec,
                                                   const LevelSystem& system, std::size_t k);

}  // namespace assay::verify
