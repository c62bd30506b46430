#pragma once

#include "max_of_k_pooled.hpp"

namespace assay::bench {

/// The same count by the bound engine, every rival apart: a case (query q, maximum m, first
/// position of m) is counted when for every rival y the outward-rounded check F(L) <= 0 of ATTN-MAX
/// shows l_y - l_m < 0 over all its inputs, and is halved otherwise, `nodes` times at most for each
/// (q, m). Counted as work: the real arithmetic of the sums, not their outward rounding.
[[nodiscard]] Certified certify_each(const bounds::Network& net, std::size_t K, std::size_t nodes);

}  // namespace assay::bench
