#include "assay/automata/emission.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay::automata {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool ordered(std::span<const double> lo, std::span<const double> hi) {
  for (std::size_t t = 0; t < lo.size(); ++t) {
    if (!(lo[t] <= hi[t])) {
      return false;
    }
  }
  return true;
}

}  // namespace

void Emission::decide(std::span<const double> lo, std::span<const double> hi,
                      std::span<Edge> out) const {
  if (mask_ != Mask::before) {
    decide_support(lo, hi, out);
    for (std::size_t t = 0; mask_ == Mask::after && t < out.size(); ++t) {
      if (!std::binary_search(allowed_.begin(), allowed_.end(), TokenId(t))) {
        out[t] = Edge::absent;
      }
    }
    return;
  }
  std::vector<double> low, high;
  for (const TokenId t : allowed_) {
    low.push_back(lo[t.at()]);
    high.push_back(hi[t.at()]);
  }
  std::vector<Edge> decided(allowed_.size());
  decide_support(low, high, decided);
  std::fill(out.begin(), out.end(), Edge::absent);
  for (std::size_t i = 0; i < allowed_.size(); ++i) {
    out[allowed_[i].at()] = decided[i];
  }
}

void Emission::decide_support(std::span<const double> lo, std::span<const double> hi,
                              std::span<Edge> out) const {
  std::fill(out.begin(), out.end(), kind_ == Kind::plain ? Edge::witnessed : Edge::open);
  if (kind_ == Kind::plain || !ordered(lo, hi)) {
    return;
  }
  if (kind_ == Kind::top_k) {
    decide_top_k(lo, hi, out);
  } else if (kind_ == Kind::top_p) {
    decide_top_p(lo, hi, out);
  } else {
    decide_by_cut(lo, hi, out);
  }
}

/// greedy and min-p
void Emission::decide_by_cut(std::span<const double> lo, std::span<const double> hi,
                             std::span<Edge> out) const {
  double best = -kInfinity;  // the largest lower end
  double first = -kInfinity, second = -kInfinity;
  for (std::size_t t = 0; t < lo.size(); ++t) {  // the two largest upper ends
    best = std::max(best, lo[t]);
    second = std::max(second, std::min(first, hi[t]));
    first = std::max(first, hi[t]);
  }
  // absent: l_t < l_y + cut for the y of the largest lower end
  const double out_below = round_down(best + cut_.lo);
  // witnessed: l_t > l_y + cut for every other y, or alone on top, whatever the cut is
  const auto in_above = [this](double rival) {
    return cut_.hi < 0 ? std::min(round_up(rival + cut_.hi), rival) : rival;
  };
  const double for_first = in_above(second), for_others = in_above(first);
  for (std::size_t t = 0; t < lo.size(); ++t) {
    if (hi[t] < out_below) {
      out[t] = Edge::absent;
    } else if (lo[t] > (hi[t] == first ? for_first : for_others)) {
      out[t] = Edge::witnessed;
    }
  }
}

// absent: K tokens surely greater; witnessed: fewer than K others that may be as great
void Emission::decide_top_k(std::span<const double> lo, std::span<const double> hi,
                            std::span<Edge> out) const {
  if (k_ >= lo.size()) {
    std::fill(out.begin(), out.end(), Edge::witnessed);
    return;
  }
  std::vector<double> low(lo.begin(), lo.end()), high(hi.begin(), hi.end());
  const auto kth = [this](std::vector<double>& v, std::size_t k) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(k), v.end(),
                     std::greater<>());
    return v[k];
  };
  const double kth_low = kth(low, k_ - 1);
  const double kth_high = kth(high, k_ - 1), next_high = kth(high, k_);
  for (std::size_t t = 0; t < lo.size(); ++t) {
    // Without t itself the K-th largest upper end is next_high when t is among the first K.
    const double rival = hi[t] >= kth_high ? next_high : kth_high;
    if (hi[t] < kth_low) {
      out[t] = Edge::absent;
    } else if (lo[t] > rival) {
      out[t] = Edge::witnessed;
    }
  }
}

}  // namespace assay::automata
