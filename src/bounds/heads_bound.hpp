#pragma once

#include <vector>

#include "joint_attention.hpp"

namespace assay::bounds {

/// sum_h <g, head h's output> <= hi over a ready case: the heads apart (ATTN-MAX) or sharing one context (ATTN-JOINT), the less.
struct HeadsBound {
  HeadNumbers numbers;
  double hi = 0;
  double size = 0;  ///< of the numbers summed, for room
  std::vector<CaseMaximum>
      maxima;  ///< for the search alone: each head's number and the context that it chose
};

struct HeadsEffort {
  std::size_t steps = 0;  ///< of the joint bound's descent
  int bits = 30;          ///< that its numbers keep
};

/// `nu`: of every head. `hint`: a point to try too, from another search.
[[nodiscard]] HeadsBound bound_heads(const ReadyCase& ready, const JointAttention* joint,
                                     const std::vector<Ball>& nu, HeadsEffort effort,
                                     const HeadNumbers* hint = nullptr);

}  // namespace assay::bounds
