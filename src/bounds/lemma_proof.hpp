#pragma once

#include <vector>

#include "assay/bounds/lemma.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// A tree of cases, [0] the whole box, and what the bounds on that share (null: enumerated).
struct Lemma::Proof {
  std::vector<BranchNode> tree;
  std::shared_ptr<CaseWork> work;
};

}  // namespace assay::bounds
