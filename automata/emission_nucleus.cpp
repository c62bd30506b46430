#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "assay/automata/emission.hpp"

namespace assay::automata {
namespace {

/// e^{x - top} for x = lo and x = hi, enclosed; x/T when the temperature comes first.
struct Masses {
  std::vector<double> lo_floor;  ///< <= e^lo
  std::vector<double> hi_floor;  ///< <= e^hi
  std::vector<double> hi_roof;   ///< >= e^hi, above 0
};

double floor_of(Interval x) {
  return std::fmax(0.0, exp(x).lo);
}

double roof_of(Interval x) {
  const double roof = exp(x).hi;
  return std::isnan(roof) ? std::numeric_limits<double>::infinity()
                          : std::fmax(roof, std::numeric_limits<double>::denorm_min());
}

Masses masses_of(std::span<const double> lo, std::span<const double> hi, Interval per_logit) {
  const double top = *std::max_element(hi.begin(), hi.end());
  Masses m;
  for (std::size_t t = 0; t < lo.size(); ++t) {
    const Interval low = (Interval(lo[t]) - Interval(top)) * per_logit;
    const Interval high = (Interval(hi[t]) - Interval(top)) * per_logit;
    m.lo_floor.push_back(floor_of(low));
    m.hi_floor.push_back(floor_of(high));
    m.hi_roof.push_back(roof_of(high));
  }
  return m;
}

/// Tokens by falling key, with sums of `first` over the beginning and of `rest` over what follows.
struct Ranking {
  std::vector<double> keys;  ///< falling
  std::vector<double> begin, end;

  /// @param up the beginning is summed upward and the end downward; else the other way round.
  Ranking(std::span<const double> key, const std::vector<double>& first,
          const std::vector<double>& rest, bool up) {
    const std::size_t n = key.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return key[a] > key[b]; });
    begin.assign(n + 1, 0);
    end.assign(n + 1, 0);
    for (std::size_t i = 0; i < n; ++i) {
      keys.push_back(key[order[i]]);
      const double sum = begin[i] + first[order[i]];
      begin[i + 1] = up ? round_up(sum) : round_down(sum);
    }
    for (std::size_t i = n; i-- > 0;) {
      const double sum = end[i + 1] + rest[order[i]];
      end[i] = up ? round_down(sum) : round_up(sum);
    }
  }
  /// How many keys are greater.
  [[nodiscard]] std::size_t above(double x) const {
    return static_cast<std::size_t>(
        std::partition_point(keys.begin(), keys.end(), [x](double key) { return key > x; }) -
        keys.begin());
  }
};

}  // namespace

// The share of a set S of tokens grows with each logit in S and falls with each other one, so over the box
//   absent     S = tokens surely greater than t:      Σ_S e^lo / (Σ_S e^lo + Σ_rest e^hi) >= P
//   witnessed  S = other tokens that may be greater:  Σ_S e^hi / (Σ_S e^hi + Σ_rest e^lo) <  P
// with the quotient cleared: Σ_S (1 − P) against P Σ_rest. Equality drops; ties are in no S of each other.
void Emission::decide_top_p(std::span<const double> lo, std::span<const double> hi,
                            std::span<Edge> out) const {
  if (!std::isfinite(*std::max_element(hi.begin(), hi.end()))) {
    return;
  }
  const auto den = static_cast<double>(share_.den), num = static_cast<double>(share_.num);
  const Interval per_logit = temperature_first_
                                 ? Interval(static_cast<double>(temperature_->den)) /
                                       Interval(static_cast<double>(temperature_->num))
                                 : Interval(1.0);
  const Masses m = masses_of(lo, hi, per_logit);
  const Ranking sure(lo, m.lo_floor, m.hi_roof, false), maybe(hi, m.hi_roof, m.lo_floor, true);
  for (std::size_t t = 0; t < lo.size(); ++t) {
    const std::size_t greater = sure.above(hi[t]), as_great = maybe.above(lo[t]);
    double above = maybe.begin[as_great], rest = maybe.end[as_great];
    if (hi[t] > lo[t]) {  // t itself is among those counted
      above = round_up(above - m.hi_floor[t]);
      rest = round_down(rest + m.lo_floor[t]);
    }
    if (round_down(sure.begin[greater] * (den - num)) >= round_up(sure.end[greater] * num)) {
      out[t] = Edge::absent;
    } else if (round_up(above * (den - num)) < round_down(rest * num)) {
      out[t] = Edge::witnessed;
    }
  }
}

}  // namespace assay::automata
