#include <algorithm>
#include <cmath>

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

/// 1/D for D in the interval.
ReadyCase::Rate ReadyCase::rate_of(const Interval& D, std::size_t head) {
  if (!(D.lo() > 0x1p-800)) {
    throw Reject("ATTN-JOINT", "the weights of head " + std::to_string(head) + " are too small");
  }
  const Interval inverse = Interval(1) / D;
  return {inverse.lo(), inverse.hi()};
}

/// What the rule reads of the weights alone, whatever the direction.
struct ReadyCase::Shares {
  std::vector<double> unit;              ///< a head's largest weight, to the nearest
  std::vector<std::vector<Rate>> whole;  ///< [N][head]: 1/D_h
  using Rates = std::vector<std::vector<Rate>>;
  std::vector<std::vector<Rates>> own;  ///< [N][j][head][u]: 1/D_h(j,u)
};

/// t[h][u] >= w_h(j,u)(ν_h(j,u) − L_h) − θ_{h,j} for the tokens u of one position j.
struct ReadyCase::Shared {
  std::vector<std::vector<double>> t;
  std::vector<double> sum;  ///< scratch

  explicit Shared(std::size_t heads) : t(heads) {}
  /// >= max over u of Σ_h ψ_{h,u}(t[h][u]). The sum in plain double is off by γ_H Σ |ψ| (linear.hpp).
  [[nodiscard]] double maximum(const Shares::Rates& rates) {
    double size = 0;
    sum.assign(t[0].size(), 0);
    for (std::size_t h = 0; h < t.size(); ++h) {
      double largest = 0;
      for (std::size_t u = 0; u < sum.size(); ++u) {
        const Rate& rate = rates[h][u];
        const double psi = std::max(rate.lo * t[h][u], rate.hi * t[h][u]);
        largest = std::max(largest, std::fabs(psi));
        sum[u] += psi;
      }
      size += Interval(largest).hi();  // refuses overflow
    }
    return sum_up(*std::max_element(sum.begin(), sum.end()),
                  enlarge(sum_error_factor(t.size()) * size));
  }
};

/// w_h(j,u) of every token of position j, e^{rel_bias} left out.
std::vector<Interval> ReadyCase::weights(std::size_t head, std::size_t j) const {
  const Head& h = heads_[head];
  if (!h.known) {
    throw Reject("ATTN-JOINT", "the weights of head " + std::to_string(head) + " are too small");
  }
  const Interval factor = Interval(1) + Interval(-h.error, h.error);
  const Interval floor(-4 * kFastExpFloor, 4 * kFastExpFloor);
  std::vector<Interval> out;
  for (const double w : h.slots[slot_of_[j]].weight) {
    out.push_back(Interval(w) * factor + floor);
  }
  return out;
}

/// D_h in the sum of the spans of the positions, D_h(j,u) in that of the others and w_h(j,u).
void ReadyCase::add_shares(std::size_t head, Shares& shares) const {
  std::vector<std::vector<Interval>> weight;
  std::vector<Interval> span;  ///< from the least to the largest weight of a position
  double unit = 0;
  for (std::size_t j = 0; j < most_; ++j) {
    weight.push_back(attention_.bias_weight(head, j) * weights(head, j));
    const std::vector<double>& nearest = heads_[head].slots[slot_of_[j]].weight;
    unit = std::max(unit, *std::max_element(nearest.begin(), nearest.end()) *
                              attention_.bias_weight(head, j).hi());
    span.push_back(weight[j][0]);
    for (const Interval& w : weight[j]) {
      span[j] = Interval(std::min(span[j].lo(), w.lo()), std::max(span[j].hi(), w.hi()));
    }
  }
  shares.unit.push_back(unit);
  Interval before;  // of the positions before j
  for (std::size_t j = 0; j < most_; ++j) {
    Interval rest = before;
    for (std::size_t N = j + 1; N <= most_; ++N) {
      rest = N == j + 1 ? rest : rest + span[N - 1];
      if (N >= fewest_) {
        std::vector<Rate>& own = shares.own[N][j].emplace_back();
        for (const Interval& w : weight[j]) {
          own.push_back(rate_of(rest + w, head));
        }
      }
    }
    before = before + span[j];
    if (j + 1 >= fewest_) {
      shares.whole[j + 1].push_back(rate_of(before, head));
    }
  }
}

/// Ends of rates that `shares` makes.
std::size_t ReadyCase::share_numbers() const {
  std::size_t numbers = 0;
  for (std::size_t j = 0; j < most_; ++j) {
    const std::size_t lengths = most_ + 1 - std::max(j + 1, fewest_);
    numbers += 2 * lengths * heads_.size() * heads_[0].slots[slot_of_[j]].set->size();
  }
  return numbers;
}

/// Kept for the next direction unless there are very many.
std::shared_ptr<const ReadyCase::Shares> ReadyCase::shares() const {
  if (shares_ != nullptr) {
    return shares_;
  }
  const auto made = std::make_shared<Shares>();
  made->whole.resize(most_ + 1);
  made->own.assign(most_ + 1, std::vector<Shares::Rates>(most_));
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    add_shares(h, *made);
  }
  if (share_numbers() <= kMaxShares) {
    shares_ = made;
  }
  return made;
}

// ATTN-JOINT on a ready case, for any numbers L_h and θ_{h,j}. D_h = Σ_{j<N} w_h(j,u_j) lies in a range over the
// case, and in D_h(j,u) = w_h(j,u) + Σ_{i<N, i≠j} [min, max of w_h(i,·)] where position j shows u; ψ(t) is the
// larger of t over the two ends, of the first for the θ and of the second for a position's terms
//   for every N in min(a,w) … min(b,w):
//   Σ_h (L_h + ψ(Σ_{j<N} θ_{h,j})) + Σ_{j<N} max_{u in B_j} Σ_h ψ_{j,u}(w_h(j,u)(ν_h(j,u) − L_h) − θ_{h,j}) <= U
//   ------------------------------------------------------------------------------------------------
//   Σ_h <g, head h's output> <= U for every context of the case
// since head h's output less L_h is Σ_j w (ν − L_h) / D_h = (Σ_j θ + Σ_j (w (ν − L_h) − θ)) / D_h, and all heads
// read one context.
double ReadyCase::joint_bound(const Projection& g, double sign, std::span<const double> L,
                              std::span<const double> theta) const {
  const std::size_t H = heads_.size();
  const auto known = shares();
  std::vector<double> total(most_ + 1, 0.0), thetas;
  for (std::size_t h = 0; h < H; ++h) {
    double sum = 0;
    for (std::size_t j = 0; j < most_; ++j) {
      thetas.push_back(theta[h * most_ + j] *
                       known->unit[h]);  // any θ will do: no rounding to mind
      sum = sum_up(sum, thetas.back());
      if (j + 1 >= fewest_) {
        total[j + 1] = sum_up(total[j + 1], sum_up(L[h], known->whole[j + 1][h].up(sum)));
      }
    }
  }
  Shared shared(H);
  for (std::size_t j = 0; j < most_; ++j) {
    fill_terms(j, g, sign, L, thetas, shared);
    for (std::size_t N = std::max(j + 1, fewest_); N <= most_; ++N) {
      total[N] = sum_up(total[N], shared.maximum(known->own[N][j]));
    }
  }
  double worst = total[fewest_];
  for (std::size_t N = fewest_; N <= most_; ++N) {
    worst = std::max(worst, Interval(total[N]).hi());  // refuses overflow and NaN, of every N
  }
  return worst;
}

void ReadyCase::fill_terms(std::size_t j, const Projection& g, double sign,
                           std::span<const double> L, std::span<const double> thetas,
                           Shared& shared) const {
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const Terms terms_ = terms(h, slot_of_[j], g, sign, L[h]);
    const Interval& bias = attention_.bias_weight(h, j);
    shared.t[h].clear();
    for (std::size_t i = 0; i < terms_.count; ++i) {
      const double x = terms_.upper(terms_.weight[i] * terms_.difference(i));
      const double t = product_up(x >= 0 ? bias.hi() : bias.lo(), x);
      shared.t[h].push_back(Interval(sum_up(t, -thetas[h * most_ + j])).hi());
    }
  }
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
