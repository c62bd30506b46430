#include "rule_attn.hpp"

#include <algorithm>
#include <cmath>

namespace assay_check {

// ν(j,u) = s (value[u] + value[V+p]) + offset. Exact − computed is at most s times the rows' errors and
// spread times their sizes, the errors covering the roundings of s (value + value); value, size and s are far
// from overflow, so no NaN arises, and Interval refuses what is too large. The product t = w (ν − L) is off by
// a relative error: the weight's, and two roundings; weights below the floor of fast_exponential may be 0 or
// anything below it, which adds at most `slack`.
ReadyCase::Terms ReadyCase::terms(std::size_t head, std::size_t slot_, const Projection& g,
                                  double sign, double L) const {
  const Network& net = attention_.net();
  const Dots& nu = g[head];
  const Slot& slot = heads_[head].slots[slot_];
  const double s = slot.scale == nullptr ? 1 : slot.scale->largest;
  const double spread = slot.scale == nullptr ? 0 : slot.scale->spread;
  const double offset = sign > 0 ? nu.offset.hi() : -nu.offset.lo();
  const double lowered = -sum_up(-L, offset);  // <= L − offset
  const std::size_t row = net.d_vocab + slot.position;
  return {slot.weight.data(),
          slot.set->data(),
          nu.value.data(),
          nu.error.data(),
          nu.size.data(),
          slot.scale == nullptr ? nullptr : slot.scale->mid.data(),
          sign,
          net.standard() ? nu.value[row] : 0,
          net.standard() ? nu.error[row] : 0,
          net.standard() ? nu.size[row] : 0,
          spread,
          lowered,
          heads_[head].error + 0x1p-49,
          enlarge(4 * kFastExpFloor * (4 * s * nu.largest + std::fabs(lowered))),
          slot.set->size()};
}

/// Weights are positive: the maximum is <= 0 when no ν is above L, however small they are.
double ReadyCase::Terms::maximum() const {
  double top = -HUGE_VAL;
  for (std::size_t i = 0; i < count; ++i) {
    const double t = weight[i] * difference(i);
    top = t > top ? t : top;
  }
  bool below = top <= 0;  // a weight may be 0 in double alone: then ask the differences
  for (std::size_t i = 0; top == 0 && i < count; ++i) {
    below = below && difference(i) <= 0;
  }
  const double most = upper(top);
  return Interval(below ? std::min(most, 0.0) : most).hi();
}

// ATTN-MAX on a ready case
//   for every N in min(a,w) … min(b,w):  Σ_{j<N} max_{u in B_j} w(j,u)(ν(j,u) − L) <= 0
//   ------------------------------------------------------------------------------------
//   <g, head h's output> <= L for every context of the case
bool ReadyCase::is_bound(std::size_t head, const Projection& g, double sign, double L) const {
  std::vector<double> term;
  for (std::size_t slot = 0; slot < heads_[head].slots.size(); ++slot) {
    term.push_back(terms(head, slot, g, sign, L).maximum());
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
