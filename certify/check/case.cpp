#include "case.hpp"

#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWeights = std::size_t{1} << 27;

}  // namespace

ReadyCase::ReadyCase(Attention& attention, const ContextCase& contexts) : attention_(attention) {
  const Network& net = attention.net();
  const std::size_t token = contexts.set(0)->front();
  position_ = attention.query_position(contexts.a);
  fewest_ = std::min(contexts.a, net.span());
  most_ = std::min(contexts.b, net.span());
  residual_ = attention.input(token, position_) + exact(net.b_O.data(), net.d_model);
  add_slots(contexts);
  for (std::size_t h = 0; h < net.n_heads; ++h) {
    fill_weights(h, token);
  }
}

/// One slot a position; positions that look alike to a head share one: the same set, and no
/// positions in keys or scores.
void ReadyCase::add_slots(const ContextCase& contexts) {
  const Network& net = attention_.net();
  const bool apart = net.standard() || net.positions == PositionKind::rotary;
  Head head;
  std::size_t numbers = 0;
  for (std::size_t j = 0; j < most_; ++j) {
    const SetPointer& set = contexts.set(j);
    const auto same = std::find_if(head.slots.begin(), head.slots.end(),
                                   [&](const Slot& s) { return !apart && s.set == set; });
    slot_of_.push_back(static_cast<std::size_t>(same - head.slots.begin()));
    if (same != head.slots.end()) {
      continue;
    }
    const std::size_t at = net.standard() ? position_ - j : 0;
    const Attention::Scale& scale = attention_.scale(at);
    head.slots.push_back({set, at, scale.mid.empty() ? nullptr : &scale, {}});
    numbers += set->size() * net.n_heads;
    if (numbers > kMaxWeights) {
      throw Reject("model", "a case has too many tokens, positions and heads");
    }
  }
  heads_.assign(net.n_heads, head);
}

/// Exponents of a slot, up to a number common to the head; returns a bound of their error. The score
/// is x = (s (a + b) + o) / attn_scale with |a|, |b| at most their rows' sizes: every rounding is relative to
/// M = (s (|a| + |b|) + |o|) / attn_scale, 8 u in all, and the quotient 1/attn_scale is off by 6 u at most.
double ReadyCase::fill_exponents(std::size_t head, const Dots& dots, bool rotary,
                                 Slot& slot) const {
  const Network& net = attention_.net();
  const double inverse = 1 / (net.scale.lo() / 2 + net.scale.hi() / 2);
  const Ball offset(std::vector<Interval>{rotary ? dots.offset : Interval()});
  const std::size_t row = net.d_vocab + slot.position;
  const double shift = net.standard() ? dots.value[row] : 0;
  const double shift_error = net.standard() ? dots.error[row] : 0;
  const double shift_size = net.standard() ? dots.size[row] : 0;
  const double spread = slot.scale == nullptr ? 0 : slot.scale->spread;
  double error = 0;
  slot.weight.clear();
  for (const std::uint32_t u : *slot.set) {
    const double s = slot.scale == nullptr ? 1 : slot.scale->mid[u];
    slot.weight.push_back((s * (dots.value[u] + shift) + offset.mid[0]) * inverse);
    const double part = spread * (dots.size[u] + shift_size);
    error = std::max(error, s * (dots.error[u] + shift_error + part));
  }
  const double largest = slot.scale == nullptr ? 1 : slot.scale->largest;
  if (!(2 * largest * dots.largest + std::fabs(offset.mid[0]) <= 0x1p300)) {
    throw Reject("arithmetic", "head " + std::to_string(head) + ": scores above 2^300");
  }
  error += offset.rad[0] + 0x1p-49 * std::fabs(offset.mid[0]);
  return enlarge(error / net.scale.lo());
}

// e^{x − top} with x − top off by δ: a factor 1 ± 2δ for δ <= 1/16, and fast_exponential's. Beyond that the
// weights stay 0, of which Terms::maximum makes a number <= 0 only where no ν is above L.
void ReadyCase::fill_weights(std::size_t head, std::size_t token) {
  const bool rotary = attention_.net().positions == PositionKind::rotary;
  Head& h = heads_[head];
  Dots dots;
  double error = 0, top = -HUGE_VAL;
  for (std::size_t j = 0; j < most_; ++j) {
    Slot& slot = h.slots[slot_of_[j]];
    if (!slot.weight.empty()) {
      continue;
    }
    if (rotary || j == 0) {
      dots = attention_.key_dots(head, attention_.query(head, token, position_, j));
    }
    error = std::max(error, fill_exponents(head, dots, rotary, slot));
    top = std::max(top, *std::max_element(slot.weight.begin(), slot.weight.end()));
  }
  double largest = std::fabs(top);
  for (Slot& slot : h.slots) {
    for (double& x : slot.weight) {
      largest = std::max(largest, std::fabs(x));
      x = fast_exponential(x - top);
    }
  }
  error += 0x1p-51 * largest;  // the rounding of x − top
  if (!(error <= 0x1p-4)) {
    for (Slot& slot : h.slots) {
      std::fill(slot.weight.begin(), slot.weight.end(), 0.0);
    }
    h.known = false;
    return;
  }
  h.error = enlarge(2 * error + 2 * kFastExpError);
}

std::size_t ReadyCase::size() const {
  std::size_t numbers = share_numbers() <= kMaxShares ? share_numbers() : 0;
  for (const Head& h : heads_) {
    for (const Slot& slot : h.slots) {
      numbers += slot.weight.size();
    }
  }
  return numbers;
}

}  // namespace assay_check
