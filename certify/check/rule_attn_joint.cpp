#include <algorithm>

#include "fold.hpp"
#include "reject.hpp"
#include "rule_attn.hpp"

namespace assay_check {

/// 1/D_h lies in [lo, hi].
struct ReadyCase::Rate {
  double lo = 0, hi = 0;
  /// >= ψ(t) = max(lo t, hi t), which grows with t
  [[nodiscard]] double up(double t) const { return product_up(t >= 0 ? hi : lo, t); }
};

/// t[h][u] >= w_h(j,u)(ν_h(j,u) − L_h) − θ_{h,j} for the tokens u of one position j.
struct ReadyCase::Shared {
  std::vector<std::vector<double>> t;
  std::vector<double> least, most;  ///< of t[h]
  std::vector<double> sum;          ///< scratch

  explicit Shared(std::size_t heads) : t(heads), least(heads), most(heads) {}
  /// >= max over u of Σ_h ψ_h(t[h][u]). The sum in plain double is off by γ_H Σ |ψ| (linear.hpp).
  [[nodiscard]] double maximum(const std::vector<Rate>& rate) {
    double size = 0;
    sum.assign(t[0].size(), 0);
    for (std::size_t h = 0; h < t.size(); ++h) {
      const double lo = rate[h].lo, hi = rate[h].hi;
      size += Interval(std::max({hi * most[h], -lo * least[h], 0.0})).hi();  // refuses overflow
      for (std::size_t u = 0; u < sum.size(); ++u) {
        sum[u] += std::max(lo * t[h][u], hi * t[h][u]);
      }
    }
    return sum_up(*std::max_element(sum.begin(), sum.end()),
                  enlarge(sum_error_factor(t.size()) * size));
  }
};

/// Sets rate[N][head] for every N that the case has. Returns the head's largest weight, to the nearest.
double ReadyCase::rates(std::size_t head, std::vector<std::vector<Rate>>& rate) const {
  const Head& h = heads_[head];
  const Interval factor = Interval(1) + Interval(-h.error, h.error);
  const Interval floor(-4 * kFastExpFloor, 4 * kFastExpFloor);
  double unit = 0;
  Interval sum;
  for (std::size_t j = 0; j < most_; ++j) {
    const std::vector<double>& weight = h.slots[slot_of_[j]].weight;
    const auto [least, most] = std::minmax_element(weight.begin(), weight.end());
    const Interval& bias = attention_.bias_weight(head, j);
    unit = std::max(unit, *most * bias.hi());
    sum = sum + (Interval(*least, *most) * factor + floor) * bias;
    if (j + 1 >= fewest_) {
      if (!h.known || !(sum.lo() > 0x1p-800)) {
        throw Reject("ATTN-JOINT",
                     "the weights of head " + std::to_string(head) + " are too small");
      }
      const Interval inverse = Interval(1) / sum;
      rate[j + 1][head] = {inverse.lo(), inverse.hi()};
    }
  }
  return unit;
}

// ATTN-JOINT on a ready case, for any numbers L_h and θ_{h,j}; D_h = Σ_{j<N} w_h(j,u_j), 1/D_h in [lo, hi] and
// ψ_{h,N}(t) = max(lo t, hi t)
//   for every N in min(a,w) … min(b,w):
//   Σ_h (L_h + ψ(Σ_{j<N} θ_{h,j})) + Σ_{j<N} max_{u in B_j} Σ_h ψ(w_h(j,u)(ν_h(j,u) − L_h) − θ_{h,j}) <= U
//   ------------------------------------------------------------------------------------------------
//   Σ_h <g, head h's output> <= U for every context of the case
// since head h's output less L_h is Σ_j w (ν − L_h) / D_h = (Σ_j θ + Σ_j (w (ν − L_h) − θ)) / D_h, and all heads
// read one context.
double ReadyCase::joint_bound(const Projection& g, double sign, std::span<const double> L,
                              std::span<const double> theta) const {
  const std::size_t H = heads_.size();
  std::vector<std::vector<Rate>> rate(most_ + 1, std::vector<Rate>(H));
  std::vector<double> total(most_ + 1, 0.0), thetas;
  for (std::size_t h = 0; h < H; ++h) {
    const double unit = rates(h, rate);
    double sum = 0;
    for (std::size_t j = 0; j < most_; ++j) {
      thetas.push_back(theta[h * most_ + j] * unit);  // any θ will do: no rounding to mind
      sum = sum_up(sum, thetas.back());
      total[j + 1] = sum_up(total[j + 1], sum_up(L[h], rate[j + 1][h].up(sum)));
    }
  }
  Shared shared(H);
  for (std::size_t j = 0; j < most_; ++j) {
    for (std::size_t h = 0; h < H; ++h) {
      const Terms terms_ = terms(h, slot_of_[j], g, sign, L[h]);
      const Interval& bias = attention_.bias_weight(h, j);
      shared.t[h].clear();
      for (std::size_t i = 0; i < terms_.count; ++i) {
        const double x = terms_.upper(terms_.weight[i] * terms_.difference(i));
        const double t = product_up(x >= 0 ? bias.hi() : bias.lo(), x);
        shared.t[h].push_back(Interval(sum_up(t, -thetas[h * most_ + j])).hi());
      }
      const auto [least, most] = std::minmax_element(shared.t[h].begin(), shared.t[h].end());
      shared.least[h] = *least;
      shared.most[h] = *most;
    }
    for (std::size_t N = std::max(j + 1, fewest_); N <= most_; ++N) {
      total[N] = sum_up(total[N], shared.maximum(rate[N]));
    }
  }
  return *std::max_element(total.begin() + static_cast<std::ptrdiff_t>(fewest_), total.end());
}

// HEADS: L_0 … L_{H−1}, each ATTN-MAX; or L_0 … L_{H−1} T θ_{0,0} … θ_{H−1,M−1}, ATTN-JOINT, M the most keys.
double head_numbers(const Step& step, const ReadyCase& ready, const Projection& g, double sign,
                    WordReader& words) {
  const std::size_t H = g.size();
  const std::vector<double> L = words.numbers(H);
  if (words.next_is("T")) {
    words.expect("T");
    return ready.joint_bound(g, sign, L, words.numbers(H * ready.most_keys()));
  }
  double sum = 0;
  for (std::size_t h = 0; h < H; ++h) {
    if (!ready.is_bound(h, g, sign, L[h])) {
      refuse(step,
             "ATTN-MAX: the number for head " + std::to_string(h) + " is not shown to be a bound");
    }
    sum = sum_up(sum, L[h]);
  }
  return sum;
}

}  // namespace assay_check
