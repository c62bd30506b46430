#include <algorithm>
#include <cmath>

#include "case.hpp"
#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

/// The largest w(u)(ν(u) − L) in plain double, and whether every ν(u) − L is <= 0.
struct Largest {
  double term = -HUGE_VAL;
  bool below = false;
};

template <typename Difference>
Largest largest(const std::vector<double>& weight, const Difference& difference) {
  Largest out;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double t = weight[i] * difference(i);
    out.term = t > out.term ? t : out.term;
  }
  out.below = out.term <= 0;  // a weight may be 0 in double alone: then ask the differences
  for (std::size_t i = 0; out.term == 0 && i < weight.size(); ++i) {
    out.below = out.below && difference(i) <= 0;
  }
  return out;
}

}  // namespace

/// An upper bound of max over u in the slot's set of w(j,u)(ν(j,u) − L), where L is already lowered by
/// the error of ν and stands for the exact number. The loop's largest t = w (ν − L) is off by a relative
/// error: the weight's, and two roundings; weights below the floor of fast_exponential may be 0 or
/// anything below it, which adds at most `slack`. Weights are positive: the maximum is <= 0 when no ν is
/// above L, however small they are.
double ReadyCase::slot_maximum(const Slot& slot, const Dots& nu, double sign, double L,
                               double relative, double slack) const {
  const Network& net = attention_.net();
  const double* value = nu.value.data();
  const double* s = slot.scale == nullptr ? nullptr : slot.scale->mid.data();
  const double shift = net.standard() ? value[net.d_vocab + slot.position] : 0;
  const std::uint32_t* set = slot.set->data();
  const Largest top = largest(slot.weight, [=](std::size_t i) {
    return sign * (s == nullptr ? 1 : s[set[i]]) * (value[set[i]] + shift) - L;
  });
  const double most = sum_up(top.term + std::fabs(top.term) * relative, slack);
  return Interval(top.below ? std::min(most, 0.0) : most).hi();
}

// ATTN-MAX on a ready case
//   for every N in min(a,w) … min(b,w):  Σ_{j<N} max_{u in B_j} w(j,u)(ν(j,u) − L) <= 0
//   ------------------------------------------------------------------------------------
//   <g, head h's output> <= L for every context of the case
// ν(j,u) = s (value[u] + value[V+p]) + offset. Exact − computed is at most 2 s error + 2 rad(s) size + the
// roundings of s (value + value), 4 u · 2 s size; value, size and s are far from overflow, so no
// NaN arises, and Interval refuses what is too large.
bool ReadyCase::is_bound(std::size_t head, const Projection& g, double sign, double L) const {
  const Dots& nu = g[head];
  const Head& h = heads_[head];
  const double offset = sign > 0 ? nu.offset.hi() : -nu.offset.lo();
  std::vector<double> term;
  for (const Slot& slot : h.slots) {
    const double s = slot.scale == nullptr ? 1 : slot.scale->largest;
    const double spread = slot.scale == nullptr ? 0 : slot.scale->rad;
    const double size = 2 * s * nu.size;
    const double error = enlarge(2 * s * nu.error + 2 * spread * nu.size + 0x1p-50 * size);
    const double lowered = -sum_up(sum_up(-L, offset), error);  // <= L − offset − error
    const double slack = enlarge(4 * kFastExpFloor * (size + std::fabs(lowered)));
    term.push_back(slot_maximum(slot, nu, sign, lowered, h.error + 0x1p-49, slack));
  }
  double sum = 0;
  for (std::size_t j = 0; j < most_; ++j) {
    const Interval& b = attention_.bias_weight(head, j);
    const double t = term[slot_of_[j]];
    sum = sum_up(sum, product_up(t >= 0 ? b.hi() : b.lo(), t));
    if (j + 1 >= fewest_ && !(sum <= 0)) {
      return false;
    }
  }
  return true;
}

}  // namespace assay_check
