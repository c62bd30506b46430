#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "assay/bounds/bound.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// The trees of both sides; `lo` bounds the negated quantity. A margin has one tree a rival,
/// each about l_A - l_rival; `hi` then is one rival's.
struct BoundResult::Proof {
  std::vector<BranchNode> hi, lo;
  std::uint32_t rival = 0;                                  ///< of `hi`
  std::map<std::uint32_t, std::vector<BranchNode>> rivals;  ///< of side lo, every other token
};

}  // namespace assay::bounds
