#include "assay/bounds/mlp_fold.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "one_layer.hpp"

namespace assay::bounds {
namespace {

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

double on_slope_grid(double a) {
  return std::clamp(std::nearbyint(a * 0x1p16) * 0x1p-16, 0.0, 1.0);
}

/// gap_j, upper end.
double gap_hi(Interval range, double a) {
  const auto at = [a](double z) { return (relu(Interval(z)) - Interval(a) * Interval(z)).hi; };
  const double lo = at(range.lo);
  const double hi = at(range.hi);
  if (std::isnan(lo) || std::isnan(hi)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return std::max({lo, hi, 0.0});
}

std::vector<Interval> folded_direction(const OneLayer::Tables& t, const FoldTarget& target,
                                       const std::vector<double>& slopes) {
  std::vector<Interval> G = target.g0;
  for (std::size_t j = 0; j < t.f; ++j) {
    if (slopes[j] == 0.0) {
      continue;
    }
    const Interval c = target.kappa[j] * Interval(slopes[j]);
    for (std::size_t i = 0; i < t.d; ++i) {
      G[i] += c * Interval(t.W_in(index(i), index(j)));
    }
  }
  return G;
}

/// The unproved search for slopes, on nearest values.
class SlopeSearch {
 public:
  SlopeSearch(const Suffix& suffix, const NeuronRanges& ranges, const FoldTarget& target)
      : suffix_(suffix),
        t_(suffix.layer().tables()),
        ranges_(ranges),
        kappa_(index(t_.f)),
        g0_(index(t_.d)),
        base_(t_.resid_base.row(index(suffix.tokens().back().at()))) {
    for (std::size_t j = 0; j < t_.f; ++j) {
      kappa_(index(j)) = middle(target.kappa[j]);
      if (kappa_(index(j)) < 0 && ranges.range[j].lo < 0 && ranges.range[j].hi > 0) {
        open_.push_back(j);
      }
    }
    for (std::size_t i = 0; i < t_.d; ++i) {
      g0_(index(i)) = middle(target.g0[i]);
    }
  }

  [[nodiscard]] std::vector<double> start() const {
    std::vector<double> a(t_.f, 0.0);
    for (std::size_t j = 0; j < t_.f; ++j) {
      const Interval r = ranges_.range[j];
      const double k = kappa_(index(j));
      if (k == 0 || r.hi <= 0) {
        a[j] = 0;
      } else if (r.lo >= 0) {
        a[j] = 1;
      } else if (k > 0) {
        a[j] = on_slope_grid(r.hi / (r.hi - r.lo));
      } else {
        a[j] = r.hi > -r.lo ? 1 : 0;
      }
    }
    return a;
  }

  /// Best slopes met in `steps` steps of the diagonally scaled subgradient.
  [[nodiscard]] std::vector<double> descend(std::size_t steps) {
    std::vector<double> a = start();
    std::vector<double> best = a;
    double best_value = std::numeric_limits<double>::infinity();
    for (std::size_t step = 0; step <= steps; ++step) {
      const double value = evaluate(a);
      if (value < best_value) {
        best_value = value;
        best = a;
      }
      if (open_.empty()) {
        break;
      }
      const double rate = 1.0 / std::sqrt(1.0 + static_cast<double>(step));
      for (const std::size_t j : open_) {
        const Interval r = ranges_.range[j];
        // d bound / d a_j = kappa_j z_j at the maximiser; scaled by |kappa_j| (hi - lo).
        a[j] = on_slope_grid(a[j] + rate * pre_(index(j)) / (r.hi - r.lo));
      }
    }
    return best;
  }

 private:
  /// The part of the bound that the open slopes move; leaves z at the maximiser in pre_.
  double evaluate(const std::vector<double>& a) {
    const Eigen::Map<const Row> slopes(a.data(), index(t_.f));
    const Row c = kappa_.cwiseProduct(slopes);
    const Row G = g0_ + (t_.W_in * c.transpose()).transpose();
    Row mid = base_;
    double value = c.dot(t_.b_in) + G.dot(base_);
    for (std::size_t h = 0; h < t_.heads; ++h) {
      const Row nu = (t_.out[h].mid * G.transpose()).transpose();
      const auto& weights = suffix_.weights();
      const Ascent top = ascend(weights.heads[h], weights.back, nu.data(), t_.vocab);
      value += top.L;
      mid += attained(h, top.maximiser);
    }
    pre_ = mid * t_.W_in + t_.b_in;
    return value;
  }

 public:
  /// Head h's output when every free position holds `token`.
  [[nodiscard]] Row attained(std::size_t h, std::optional<TokenId> token) const {
    const auto& head = suffix_.weights().heads[h];
    const auto& back = suffix_.weights().back;
    Row sum = Row::Zero(index(t_.d));
    double total = 0;
    for (std::size_t j = 0; j < back.size(); ++j) {
      const double w = middle(head.known[j]);
      total += w;
      sum += w * t_.out[h].mid.row(index(back[j].at()));
    }
    if (token) {
      const double w = head.free.lo * head.mid[token->at()];
      total += w;
      sum += w * t_.out[h].mid.row(index(token->at()));
    }
    return sum / total;
  }

 private:
  const Suffix& suffix_;
  const OneLayer::Tables& t_;
  const NeuronRanges& ranges_;
  Row kappa_, g0_, base_, pre_;
  std::vector<std::size_t> open_;
};

}  // namespace

double with_room(double hi, double size) {
  return round_up(hi + round_up(0x1p-40 * round_up(1.0 + size)));
}

NeuronRanges neuron_ranges(const Suffix& suffix) {
  const OneLayer::Tables& t = suffix.layer().tables();
  const auto& weights = suffix.weights();
  NeuronRanges out;
  out.heads = t.heads;
  std::vector<Interval> g(t.d);
  std::vector<double> minus(t.vocab);
  for (std::size_t j = 0; j < t.f; ++j) {
    for (std::size_t i = 0; i < t.d; ++i) {
      g[i] = Interval(t.W_in(index(i), index(j)));
    }
    const Interval base = suffix.base(g) + Interval(t.b_in(index(j)));
    Interval lo = base;
    Interval hi = base;
    for (std::size_t h = 0; h < t.heads; ++h) {
      const double* mid = t.along_neurons[h].mid.row(index(j)).data();
      const double* radius = t.along_neurons[h].radius.row(index(j)).data();
      std::transform(mid, mid + t.vocab, minus.begin(), [](double x) { return -x; });
      const auto& head = weights.heads[h];
      out.U.push_back(certified_maximum(head, weights.back, mid, radius, t.vocab).L);
      out.D.push_back(certified_maximum(head, weights.back, minus.data(), radius, t.vocab).L);
      hi += Interval(out.U.back());
      lo = lo - Interval(out.D.back());
    }
    out.range.emplace_back(lo.lo, hi.hi);
  }
  return out;
}

double fold_bound(const Suffix& suffix, const NeuronRanges& ranges, const FoldTarget& target,
                  const std::vector<double>& slopes, const std::vector<HeadMaximum>& maxima) {
  const OneLayer::Tables& t = suffix.layer().tables();
  require(slopes.size() == t.f && target.kappa.size() == t.f && target.g0.size() == t.d &&
              maxima.size() == t.heads && ranges.range.size() == t.f,
          "fold_bound: sizes");
  Interval sum = target.const0;
  double size = std::fabs(target.const0.hi);
  const auto add = [&](Interval term) {
    sum += term;
    size += std::fabs(term.hi) + std::fabs(term.lo);
  };
  for (std::size_t j = 0; j < t.f; ++j) {
    require(slopes[j] >= 0 && slopes[j] <= 1, "fold_bound: slope outside [0,1]");
    add(target.kappa[j] * Interval(slopes[j]) * Interval(t.b_in(index(j))));
    if (!(target.kappa[j].hi <= 0)) {
      add(relu(target.kappa[j]) * Interval(gap_hi(ranges.range[j], slopes[j])));
    }
  }
  add(suffix.base(folded_direction(t, target, slopes)));
  for (const HeadMaximum& m : maxima) {
    add(Interval(m.L));
  }
  return with_room(sum.hi, size);
}

FoldProof mlp_fold(const Suffix& suffix, const NeuronRanges& ranges, const FoldTarget& target,
                   std::size_t steps) {
  SlopeSearch search(suffix, ranges, target);
  FoldProof proof;
  proof.slopes = search.descend(steps);
  const auto G = folded_direction(suffix.layer().tables(), target, proof.slopes);
  proof.maxima = suffix.attention_maximum(to_direction(G));
  proof.hi = fold_bound(suffix, ranges, target, proof.slopes, proof.maxima);
  return proof;
}

std::vector<double> relaxed_maximiser(const Suffix& suffix,
                                      const std::vector<HeadMaximum>& maxima) {
  const OneLayer::Tables& t = suffix.layer().tables();
  const NeuronRanges none{t.heads, {}, {}, std::vector<Interval>(t.f)};
  const FoldTarget zero{std::vector<Interval>(t.f), std::vector<Interval>(t.d), Interval(0.0)};
  const SlopeSearch at(suffix, none, zero);
  Row m = t.resid_base.row(index(suffix.tokens().back().at()));
  for (std::size_t h = 0; h < t.heads; ++h) {
    m += at.attained(h, maxima[h].maximiser);
  }
  return {m.data(), m.data() + m.size()};
}

}  // namespace assay::bounds
