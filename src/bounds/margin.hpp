#pragma once

#include "assay/bounds/bound.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// RIVAL  l_A - l_Y <= U for one Y           |-   l_A - max_{y != A} l_y <= U
///        l_y - l_A <= U_y for every y != A  |-   max_{y != A} l_y - l_A <= max_y U_y
/// Every rival is bounded once on each side; the node budget, one for each rival and side, goes only to
/// rivals that can still move an end. Attained values and witnesses are left to the caller's replay of
/// `contexts`.
struct MarginBound {
  BranchResult hi;               ///< of the rival that bounds the margin from above
  std::uint32_t rival = 0;       ///< that one
  std::vector<BranchResult> lo;  ///< of l_y - l_A by token; A's own entry is empty
  double hi_value = 0, lo_value = 0;
  std::vector<std::vector<TokenId>> contexts;  ///< where a rival's lead was found largest or least
  std::size_t nodes = 0;
  bool stopped = false;    ///< by the safety stop or an interrupt
  bool exhausted = false;  ///< the budget was not what stopped it
};

[[nodiscard]] MarginBound bound_margin(DomainWork& work, std::uint32_t token,
                                       const BoundOptions& options);

}  // namespace assay::bounds
