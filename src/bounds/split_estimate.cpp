#include "split_estimate.hpp"

#include <algorithm>
#include <cmath>

#include "dominant_split.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int kShares = 64;  // shares spared are counted in these, so that powers are products

std::vector<std::size_t> entries_of(const TokenSet& all, const TokenSet& part) {
  std::vector<std::size_t> out;
  std::size_t at = 0;
  for (const TokenId t : part) {
    while (all[at] != t) {
      ++at;
    }
    out.push_back(at);
  }
  return out;
}

double power(double x, int n) {
  double out = 1;
  for (double square = x; n > 0; n /= 2, square *= square) {
    out *= n % 2 == 1 ? square : 1;
  }
  return out;
}

}  // namespace

double UnstableNeuron::gap(double to_lo, double to_hi) const {
  if (!(to_lo < 0 && to_hi > 0)) {
    return 0;
  }
  return kappa > 0 ? kappa * -to_lo * to_hi / (to_hi - to_lo)
                   : -kappa * std::min(to_hi, -to_lo) / 2;
}

std::size_t SplitEstimate::index_of(std::size_t slot) const {
  std::size_t i = 0;
  while (slots_[i].slot != slot) {
    ++i;
  }
  return i;
}

/// The bound that the part's own ranges and maximum would give.
double SplitEstimate::value(const Part& part) const {
  double value = node_.hi;
  std::vector<double> lo, hi;
  for (const UnstableNeuron& n : neurons_) {
    lo.push_back(n.lo);
    hi.push_back(n.hi);
  }
  for (const auto& [at, tokens] : part) {
    const SlotGains& gains = slots_[at];
    const std::vector<std::size_t> entries = entries_of(*node_.box.back[gains.slot], tokens);
    const auto range = [&](const auto& row) {
      Interval r(kInf, -kInf);
      for (const std::size_t e : entries) {
        r = Interval(std::min(r.lo, row(index(e))), std::max(r.hi, row(index(e))));
      }
      return r;
    };
    value += range(gains.along).hi - gains.along.maxCoeff();
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      const Interval r = range(gains.neurons.row(index(i)));
      lo[i] += r.lo - gains.least(index(i));
      hi[i] -= gains.most(index(i)) - r.hi;
    }
  }
  for (std::size_t i = 0; i < neurons_.size(); ++i) {
    value += neurons_[i].gap(lo[i], hi[i]) - neurons_[i].gap();
  }
  return value;
}

std::vector<SplitEstimate::Part> SplitEstimate::parts(const Split& split) const {
  std::vector<Part> out;
  if (split.by == Split::By::token) {
    for (const TokenSet& set : split.sets) {
      out.push_back({{index_of(split.slot), set}});
    }
    return out;
  }
  Part before;
  for (std::size_t i = 0; i < split.slots.size(); ++i) {
    const std::size_t at = index_of(split.slots[i]);
    out.push_back(before);
    out.back().emplace_back(at, split.sets[i]);
    before.emplace_back(at, others(*node_.box.back[split.slots[i]], split.sets[i]));
  }
  out.push_back(std::move(before));
  return out;
}

double SplitEstimate::work(const Split& split) const {
  double sum = 0;
  for (const Part& part : parts(split)) {
    sum += std::max(value(part) - attained_, 0.0);
  }
  return sum;
}

double SplitEstimate::ease(const Split& split, double favour) const {
  const double all = std::max(node_.hi - attained_, 1e-300);
  std::vector<int> shares;
  for (const Part& part : parts(split)) {
    const double spared = favour * (node_.hi - value(part)) / all;
    shares.push_back(
        static_cast<int>(std::nearbyint(kShares * std::min(std::max(spared, 0.0), 1.0))));
  }
  double lo = 0, hi = 1;
  for (int step = 0; step < 40; ++step) {
    const double x = lo + (hi - lo) / 2;
    double sum = 0;
    for (const int share : shares) {
      sum += power(x, std::max(share, 1));
    }
    (sum > 1 ? hi : lo) = x;
  }
  return lo;
}

}  // namespace assay::bounds
