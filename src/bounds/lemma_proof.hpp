#pragma once

#include <vector>

#include "assay/bounds/lemma.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// A tree of cases, [0] the whole box.
struct Lemma::Proof {
  std::vector<BranchNode> tree;
};

}  // namespace assay::bounds
