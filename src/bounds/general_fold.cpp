#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "assay/base/errors.hpp"
#include "case_bound.hpp"
#include "leaf_program.hpp"
#include "slope_search.hpp"

namespace assay::bounds {
namespace {

constexpr HeadsEffort kEffort{64, 30};
constexpr std::size_t kMostTerms = 20'000;  // of a linear problem that is handed on
constexpr double kLargestNumber = 1e15;     // of its solution: beyond it nothing useful is meant

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

bool is_zero(Interval i) {
  return i.lo == 0 && i.hi == 0;
}

/// h = sum_j (kappa_j a_j + mu_j s_j) h_j
std::vector<Interval> folded(const Network& net, const FoldTarget& target, const CaseBound& bound,
                             const std::vector<NeuronPart>& parts) {
  std::vector<Interval> h(net.d, Interval(0.0));
  const auto add = [&](std::size_t j, Interval c) {
    const Ball& all = net.neuron_directions;
    for (std::size_t i = 0; i < net.d; ++i) {
      const double radius = all.radius(index(i), index(j));
      h[i] +=
          c * (radius == 0 ? Interval(all.mid(index(i), index(j))) : all.at(index(i), index(j)));
    }
  };
  for (std::size_t j = 0; j < net.f; ++j) {
    if (bound.slopes[j] != 0.0 && !is_zero(target.kappa[j])) {
      add(j, target.kappa[j] * Interval(bound.slopes[j]));
    }
  }
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (bound.mu[p] != 0.0) {
      add(parts[p].neuron, Interval(bound.mu[p] * parts[p].sign));
    }
  }
  return h;
}

/// One direction's share: base(G) + the heads.
struct Share {
  HeadsBound heads;
  double hi = 0, size = 0;
};

Share along(CaseWork& work, const std::vector<Interval>& G, const HeadNumbers* hint) {
  const ReadyCase& ready = work.ready();
  std::vector<Ball> nu;
  for (std::size_t h = 0; h < work.net().heads; ++h) {
    nu.push_back(ready.places().along(h, to_direction(G)));
  }
  const Interval base = ready.base(G);
  Share share{bound_heads(ready, work.joint(), nu, kEffort, hint), 0, 0};
  const Interval sum = base + Interval(share.heads.hi);
  share.size = std::fabs(base.lo) + std::fabs(base.hi) + share.heads.size;
  share.hi = round_up(sum.hi + 8 * base.width());  // room for wider enclosures of the same sum
  return share;
}

void keep_direction(const std::vector<Interval>& G, Share share, CaseBound& bound) {
  bound.direction = Row(index(G.size()));
  for (std::size_t i = 0; i < G.size(); ++i) {
    bound.direction(index(i)) = middle(G[i]);
  }
  bound.maxima = std::move(share.heads.maxima);
}

CaseBound bound_linear(CaseWork& work, const FoldTarget& target) {
  CaseBound bound;
  Share share = along(work, target.g0, nullptr);
  bound.heads = share.heads.numbers;
  const Interval sum = target.const0 + Interval(share.hi);
  bound.hi = with_room(sum.hi, share.size + std::fabs(target.const0.hi));
  keep_direction(target.g0, std::move(share), bound);
  return bound;
}

SlopeSearch::Found find_numbers(CaseWork& work, const FoldTarget& target,
                                const std::vector<NeuronPart>& parts,
                                const std::vector<Interval>& ranges, FoldEffort effort) {
  if (effort.solver != nullptr && LeafProgram::applies(work)) {
    const LeafProgram program(work, target, parts, ranges);
    if (program.problem().terms() <= kMostTerms) {
      const auto x = (*effort.solver)(program.problem());
      const auto is_usable = [](double v) { return std::fabs(v) < kLargestNumber; };
      if (x && x->size() == program.problem().cost.size() &&
          std::all_of(x->begin(), x->end(), is_usable)) {
        return program.read(*x);
      }
    }
  }
  return SlopeSearch(work, target, parts, ranges).descend(effort.steps);
}

CaseBound bound_hull(const ReadyCase& ready, const CaseVertices& vertices, const FoldTarget& target,
                     std::size_t steps) {
  CaseBound bound;
  bound.rule = CaseRule::hull;
  CaseVertices::Bound hull = vertices.bound(target, steps);
  bound.hi = hull.hi;
  bound.slopes = std::move(hull.slopes);
  bound.head = vertices.head();
  bound.direction = std::move(hull.direction);
  const Network& net = ready.places().net();
  for (std::size_t h = 0; h < net.heads; ++h) {
    const Row along = (net.W_O[h].mid * bound.direction.transpose()).transpose();
    const Rows nu = ready.places().values(h).mid * along.transpose();
    bound.maxima.push_back(ready.ascend(h, nu.data(), true));
  }
  bound.maxima.push_back(std::move(hull.worst));
  return bound;
}

/// c_j of neuron j.
Interval neuron_offset(const Network& net, std::size_t j) {
  const Ball& c = net.neuron_offsets;
  return c.radius(0, index(j)) == 0 ? Interval(c.mid(0, index(j))) : c.at(0, index(j));
}

}  // namespace

std::vector<Interval> clipped(const std::vector<Interval>& ranges,
                              const std::vector<NeuronPart>& parts) {
  std::vector<Interval> out = ranges;
  for (const NeuronPart& p : parts) {
    Interval& r = out[p.neuron];
    r = p.sign > 0 ? Interval(std::max(r.lo, 0.0), std::max(r.hi, 0.0))
                   : Interval(std::min(r.lo, 0.0), std::min(r.hi, 0.0));
  }
  return out;
}

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
///   G(s) = g0 + s sum_j (kappa_j a_j + mu_j s_j) h_j; s = 1 without LN2, else both ends of its range
///   target <= const0 + sum_j (kappa_j a_j + mu_j s_j) c_j + sum_j max(kappa_j rho_j)
///             + max over the ends of ( base(G(s)) + the heads' HEADS bound )
/// HULL where it applies and proves less.
CaseBound bound_fold(CaseWork& work, const FoldTarget& target, const std::vector<NeuronPart>& parts,
                     FoldEffort effort) {
  const Network& net = work.net();
  if (std::all_of(target.kappa.begin(), target.kappa.end(), is_zero)) {
    return bound_linear(work, target);
  }
  const CaseVertices* vertices = work.vertices();
  std::optional<CaseBound> hull;
  if (vertices != nullptr) {
    hull = bound_hull(work.ready(), *vertices, target, effort.steps);
    if (parts.empty() && vertices->are_contexts() && effort.solver == nullptr) {
      return *std::move(hull);
    }
  }
  CaseBound bound;
  bound.rule = net.norm ? CaseRule::norm_fold : CaseRule::fold;
  const std::vector<Interval> ranges = clipped(work.neurons().range, parts);
  SlopeSearch::Found found = find_numbers(work, target, parts, ranges, effort);
  bound.slopes = std::move(found.slopes);
  bound.mu = std::move(found.mu);
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
    add(target.kappa[j] * Interval(bound.slopes[j]) * neuron_offset(net, j));
    const Interval rest = target.kappa[j] * residual_range(net.act, ranges[j], bound.slopes[j]);
    add(Interval(rest.hi));
  }
  for (std::size_t p = 0; p < parts.size(); ++p) {
    add(Interval(bound.mu[p] * parts[p].sign) * neuron_offset(net, parts[p].neuron));
  }
  const std::vector<Interval> h = folded(net, target, bound, parts);
  const std::vector<double> ends =
      net.norm ? std::vector<double>{work.spread().lo, work.spread().hi} : std::vector<double>{1.0};
  double worst = -std::numeric_limits<double>::infinity();
  for (std::size_t e = 0; e < ends.size(); ++e) {
    std::vector<Interval> G = target.g0;
    for (std::size_t i = 0; i < net.d; ++i) {
      G[i] += net.norm ? Interval(ends[e]) * h[i] : h[i];
    }
    Share share = along(work, G, found.heads ? &*found.heads : nullptr);
    (e == 0 ? bound.heads : bound.heads_other) = share.heads.numbers;
    const double hi = with_room((sum + Interval(share.hi)).hi, size + share.size);
    if (!(hi <= worst)) {
      worst = hi;
      keep_direction(G, std::move(share), bound);
    }
  }
  bound.hi = worst;
  return hull && hull->hi < bound.hi ? *std::move(hull) : bound;
}

}  // namespace assay::bounds
