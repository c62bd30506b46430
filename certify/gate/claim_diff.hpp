#pragma once

#include <vector>

#include "assay/certify/diff.hpp"

namespace assay::certify {

/// What became of one claim: every aspect that changed, or `same`, or `reworded`.
[[nodiscard]] std::vector<Change> compare_claims(const DiffSide& old, const Claim& was,
                                                 const DiffSide& now, const Claim& is);

}  // namespace assay::certify
