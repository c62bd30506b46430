#pragma once

#include <vector>

#include "assay/bounds/bound.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// The trees of both sides; `lo` bounds the negated quantity.
struct BoundResult::Proof {
  std::vector<BranchNode> hi, lo;
};

}  // namespace assay::bounds
