#include "heads_bound.hpp"

#include <algorithm>
#include <cmath>

namespace assay::bounds {
namespace {

HeadsBound apart(const ReadyCase& ready, const std::vector<Ball>& nu) {
  HeadsBound bound;
  Interval sum(0.0);
  for (std::size_t h = 0; h < nu.size(); ++h) {
    bound.maxima.push_back(ready.maximum(h, nu[h].mid.data(), nu[h].radius.data()));
    const double L = bound.maxima.back().L;
    bound.numbers.L.push_back(L);
    bound.size += std::fabs(L);
    sum += Interval(L);
  }
  bound.hi = sum.hi;
  return bound;
}

/// Takes the joint numbers when they prove less.
void improve(const JointAttention& joint, const std::vector<Ball>& nu, HeadNumbers numbers,
             const JointAttention::Common& common, HeadsBound& bound) {
  const double hi = joint.proved(nu, numbers);
  if (!(hi < bound.hi)) {
    return;
  }
  bound.hi = hi;
  bound.maxima.clear();
  std::vector<TokenId> back;
  for (std::size_t j = 0; j < common.keys; ++j) {
    back.push_back(joint.token(joint.begin(j) + common.chosen[j]));
  }
  for (const double L : numbers.L) {
    bound.size += std::fabs(L);
    bound.maxima.push_back({L, back});
  }
  bound.numbers = std::move(numbers);
}

}  // namespace

HeadsBound bound_heads(const ReadyCase& ready, const JointAttention* joint,
                       const std::vector<Ball>& nu, HeadsEffort effort, const HeadNumbers* hint) {
  const bool is_single = joint != nullptr && joint->free_slots() == 0 && joint->is_one_length();
  if (joint == nullptr || is_single) {
    return apart(ready, nu);
  }
  const JointAttention::Values values = joint->gather(nu);
  const JointAttention::Common common = joint->climb(values);
  HeadsBound bound;
  bound.hi = std::numeric_limits<double>::infinity();
  const bool is_exact = joint->free_slots() == 1 && joint->is_one_length();
  if (!is_exact) {
    bound = apart(ready, nu);
    if (effort.steps == 0 && hint == nullptr) {
      return bound;
    }
  }
  if (hint != nullptr) {
    HeadNumbers numbers = *hint;
    joint->shorten(values, effort.bits, numbers);
    improve(*joint, nu, std::move(numbers), common, bound);
  }
  if (effort.steps > 0 || is_exact) {
    std::vector<double> L;
    for (const CaseMaximum& m : bound.maxima) {
      L.push_back(m.L);
    }
    improve(*joint, nu, joint->search(values, L, common, effort.steps, effort.bits), common, bound);
  }
  if (is_exact && !(bound.hi - common.value <= 1e-6 * (1 + std::fabs(common.value)))) {
    HeadsBound other = apart(ready, nu);  // weights so uneven that their rounding shows
    return other.hi <= bound.hi ? other : bound;
  }
  return bound;
}

}  // namespace assay::bounds
