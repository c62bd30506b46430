#pragma once

#include <map>

#include "assay/bounds/firing.hpp"
#include "branch.hpp"

namespace assay::bounds {

/// The trees that show it: of the pre-activation's own side, and of the differences with others.
struct FiringVerdict::Proof {
  std::shared_ptr<const BoundResult::Proof> own;            ///< nullptr: not needed
  std::map<std::uint32_t, std::vector<BranchNode>> others;  ///< pre_I - pre_Y; side hi for must-off
};

/// `own`: the feature's bound on the domain, with its proof under keep_proof.
[[nodiscard]] FiringVerdict decide_firing(const Transformer& model, const Sae& sae,
                                          DomainWork& work, std::uint32_t feature,
                                          const BoundResult& own, const BoundOptions& options);

}  // namespace assay::bounds
