#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "assay/base/errors.hpp"
#include "case_bound.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kSamples = 17;

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

bool is_zero(Interval i) {
  return i.lo == 0 && i.hi == 0;
}

double on_slope_grid(double a) {
  return std::nearbyint(a * 0x1p16) * 0x1p-16;
}

/// The unproved search for slopes, on nearest values.
class SlopeSearch {
 public:
  SlopeSearch(CaseWork& work, const FoldTarget& target)
      : work_(work),
        net_(work.net()),
        ranges_(work.neurons().range),
        kappa_(index(net_.f)),
        g0_(index(net_.d)),
        base_(index(net_.d)) {
    for (std::size_t i = 0; i < net_.d; ++i) {
      g0_(index(i)) = middle(target.g0[i]);
      base_(index(i)) = middle(work.ready().query().base[i]);
    }
    ends_ = {1.0};
    if (net_.norm) {
      ends_ = {work.spread().lo, work.spread().hi};
    }
    samples_.resize(net_.f);
    for (std::size_t j = 0; j < net_.f; ++j) {
      const double k = middle(target.kappa[j]);
      kappa_(index(j)) = k;
      const Interval r = ranges_[j];
      const bool bent = net_.act != ActFn::relu ? r.lo < r.hi : r.lo < 0 && r.hi > 0;
      if (k == 0 || !bent) {
        continue;
      }
      if (net_.act != ActFn::relu) {
        for (std::size_t s = 0; s < kSamples; ++s) {
          const double z = r.lo + (r.hi - r.lo) * static_cast<double>(s) / (kSamples - 1);
          samples_[j].emplace_back(z, nearest_activation(net_.act, z));
        }
      } else {
        samples_[j] = {{r.lo, 0.0}, {0.0, 0.0}, {r.hi, r.hi}};
      }
      if (net_.act != ActFn::relu || k < 0) {
        open_.push_back(j);  // a relu with kappa > 0 starts at its best slope
      }
    }
  }

  [[nodiscard]] std::vector<double> start() const {
    std::vector<double> a(net_.f, 0.0);
    for (std::size_t j = 0; j < net_.f; ++j) {
      const Interval r = ranges_[j];
      const double k = kappa_(index(j));
      if (k == 0) {
        continue;
      }
      if (net_.act != ActFn::relu) {
        const double rise = nearest_activation(net_.act, r.hi) - nearest_activation(net_.act, r.lo);
        a[j] = r.hi - r.lo > 1e-6 ? on_slope_grid(rise / (r.hi - r.lo)) : (r.lo > 0 ? 1.0 : 0.0);
      } else if (r.hi <= 0 || r.lo >= 0) {
        a[j] = r.lo >= 0 ? 1 : 0;
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
    for (std::size_t step = 0; step <= steps && !(open_.empty() && step > 0); ++step) {
      const double value = evaluate(a);
      if (value < best_value) {
        best_value = value;
        best = a;
      }
      const double rate = 1.0 / std::sqrt(1.0 + static_cast<double>(step));
      for (const std::size_t j : open_) {
        // d bound / d a_j = kappa_j (z_j at the maximiser - z where the residual is extremal).
        const double k = kappa_(index(j));
        const double pull = pre_(index(j)) - extremal(j, a[j]).first;
        const double width = ranges_[j].hi - ranges_[j].lo;
        a[j] = on_slope_grid(a[j] - rate * (k > 0 ? pull : -pull) / width);
        a[j] = net_.act == ActFn::relu ? std::clamp(a[j], 0.0, 1.0) : std::clamp(a[j], -0.25, 1.25);
      }
    }
    return best;
  }

 private:
  /// Where kappa (act(z) - a z) is largest, and act(z) - a z there.
  [[nodiscard]] std::pair<double, double> extremal(std::size_t j, double a) const {
    const double k = kappa_(index(j));
    std::pair<double, double> best{0, 0};
    double top = -std::numeric_limits<double>::infinity();
    for (const auto& [z, value] : samples_[j]) {
      const double rest = value - a * z;
      if (k * rest > top) {
        top = k * rest;
        best = {z, rest};
      }
    }
    return best;
  }

  /// The bound to the nearest (without const0); leaves z at the maximiser in pre_.
  double evaluate(const std::vector<double>& a) {
    const Eigen::Map<const Row> slopes(a.data(), index(net_.f));
    const Row c = kappa_.cwiseProduct(slopes);
    const Row h = (net_.neuron_directions.mid * c.transpose()).transpose();
    double common = c.dot(Row(net_.neuron_offsets.mid.row(0)));
    for (std::size_t j = 0; j < net_.f; ++j) {
      if (!samples_[j].empty()) {
        common += kappa_(index(j)) * extremal(j, a[j]).second;
      }
    }
    double worst = -std::numeric_limits<double>::infinity();
    for (const double s : ends_) {
      const Row G = g0_ + s * h;
      double value = common + G.dot(base_);
      Row mid = base_;
      for (std::size_t head = 0; head < net_.heads; ++head) {
        const Row gO = (net_.W_O[head].mid * G.transpose()).transpose();
        const Row nu = (work_.ready().places().values(head).mid * gO.transpose()).transpose();
        const CaseMaximum top = work_.ready().ascend(head, nu.data(), true);
        value += top.L;
        mid += head_mean(work_.ready(), head, top.back) * net_.W_O[head].mid;
      }
      if (value > worst) {
        worst = value;
        pre_ = s * (mid * net_.neuron_directions.mid) + Row(net_.neuron_offsets.mid.row(0));
      }
    }
    return worst;
  }

  CaseWork& work_;
  const Network& net_;
  const std::vector<Interval>& ranges_;
  Row kappa_, g0_, base_, pre_;
  std::vector<double> ends_;
  std::vector<std::vector<std::pair<double, double>>> samples_;
  std::vector<std::size_t> open_;
};

/// h = sum_j kappa_j a_j h_j
std::vector<Interval> folded(const Network& net, const FoldTarget& target,
                             const std::vector<double>& slopes) {
  std::vector<Interval> h(net.d, Interval(0.0));
  for (std::size_t j = 0; j < net.f; ++j) {
    if (slopes[j] == 0.0 || is_zero(target.kappa[j])) {
      continue;
    }
    const Interval c = target.kappa[j] * Interval(slopes[j]);
    const Ball& all = net.neuron_directions;
    for (std::size_t i = 0; i < net.d; ++i) {
      const double radius = all.radius(index(i), index(j));
      h[i] +=
          c * (radius == 0 ? Interval(all.mid(index(i), index(j))) : all.at(index(i), index(j)));
    }
  }
  return h;
}

/// One direction's share: base(G) + sum_h L_h.
struct Share {
  Interval base;
  std::vector<CaseMaximum> maxima;
  double hi = 0, size = 0;
};

Share along(const ReadyCase& ready, const std::vector<Interval>& G) {
  Share share{ready.base(G), ready.maxima(to_direction(G)), 0, 0};
  Interval sum = share.base;
  share.size = std::fabs(sum.lo) + std::fabs(sum.hi);
  for (const CaseMaximum& m : share.maxima) {
    sum += Interval(m.L);
    share.size += std::fabs(m.L);
  }
  share.hi = round_up(sum.hi + 8 * sum.width());  // room for wider enclosures of the same sum
  return share;
}

std::vector<double> numbers(const std::vector<CaseMaximum>& maxima) {
  std::vector<double> L;
  for (const CaseMaximum& m : maxima) {
    L.push_back(m.L);
  }
  return L;
}

void keep_direction(const std::vector<Interval>& G, Share share, CaseBound& bound) {
  bound.direction = Row(index(G.size()));
  for (std::size_t i = 0; i < G.size(); ++i) {
    bound.direction(index(i)) = middle(G[i]);
  }
  bound.maxima = std::move(share.maxima);
}

CaseBound bound_linear(const ReadyCase& ready, const FoldTarget& target) {
  CaseBound bound;
  Share share = along(ready, target.g0);
  bound.L = numbers(share.maxima);
  const Interval sum = target.const0 + Interval(share.hi);
  bound.hi = with_room(sum.hi, share.size + std::fabs(target.const0.hi));
  keep_direction(target.g0, std::move(share), bound);
  return bound;
}

}  // namespace

Row head_mean(const ReadyCase& ready, std::size_t head, const std::vector<TokenId>& back) {
  const Ball& values = ready.places().values(head);
  Row sum = Row::Zero(values.mid.cols());
  double total = 0;
  for (std::size_t j = 0; j < back.size(); ++j) {
    const ReadyCase::Group& group = ready.group(j);
    const auto at = static_cast<std::size_t>(
        std::lower_bound(group.tokens.begin(), group.tokens.end(), back[j]) - group.tokens.begin());
    const double w = ready.slot_factor(j, head) * group.mid[head][at];
    total += w;
    sum += w * values.mid.row(group.rows[at]);
  }
  return total > 0 ? Row(sum / total) : sum;
}

Row nearest_mid(const ReadyCase& ready, const std::vector<const std::vector<TokenId>*>& back) {
  const Network& net = ready.places().net();
  Row mid(index(net.d));
  for (std::size_t i = 0; i < net.d; ++i) {
    mid(index(i)) = middle(ready.query().base[i]);
  }
  for (std::size_t h = 0; h < net.heads; ++h) {
    mid += head_mean(ready, h, *back[h]) * net.W_O[h].mid;
  }
  return mid;
}

/// FOLD / NORM-FOLD
///   G(s) = g0 + s sum_j kappa_j a_j h_j; s = 1 without LN2, else both ends of its range
///   target <= const0 + sum_j kappa_j a_j c_j + sum_j max(kappa_j rho_j)
///             + max over the ends of ( base(G(s)) + sum_h L_h )
CaseBound bound_fold(CaseWork& work, const FoldTarget& target, std::size_t steps) {
  const Network& net = work.net();
  if (std::all_of(target.kappa.begin(), target.kappa.end(), is_zero)) {
    return bound_linear(work.ready(), target);
  }
  CaseBound bound;
  bound.rule = net.norm ? CaseRule::norm_fold : CaseRule::fold;
  bound.slopes = SlopeSearch(work, target).descend(steps);
  Interval sum = target.const0;
  double size = std::fabs(sum.hi);
  const auto add = [&](Interval term) {
    sum += term;
    size += std::fabs(term.lo) + std::fabs(term.hi);
  };
  for (std::size_t j = 0; j < net.f; ++j) {
    if (is_zero(target.kappa[j])) {
      bound.slopes[j] = 0;
      continue;
    }
    const Ball& c = net.neuron_offsets;
    const double radius = c.radius(0, index(j));
    const Interval offset = radius == 0 ? Interval(c.mid(0, index(j))) : c.at(0, index(j));
    add(target.kappa[j] * Interval(bound.slopes[j]) * offset);
    const Interval rest =
        target.kappa[j] * residual_range(net.act, work.neurons().range[j], bound.slopes[j]);
    add(Interval(rest.hi));
  }
  const std::vector<Interval> h = folded(net, target, bound.slopes);
  const std::vector<double> ends =
      net.norm ? std::vector<double>{work.spread().lo, work.spread().hi} : std::vector<double>{1.0};
  double worst = -std::numeric_limits<double>::infinity();
  for (std::size_t e = 0; e < ends.size(); ++e) {
    std::vector<Interval> G = target.g0;
    for (std::size_t i = 0; i < net.d; ++i) {
      G[i] += net.norm ? Interval(ends[e]) * h[i] : h[i];
    }
    Share share = along(work.ready(), G);
    (e == 0 ? bound.L : bound.L_other) = numbers(share.maxima);
    const double hi = with_room((sum + Interval(share.hi)).hi, size + share.size);
    if (!(hi <= worst)) {
      worst = hi;
      keep_direction(G, std::move(share), bound);
    }
  }
  bound.hi = worst;
  return bound;
}

}  // namespace assay::bounds
