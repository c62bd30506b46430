#include "split_choice.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "activation.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kNeurons = 64;      // whose gaps an estimate looks at
constexpr std::size_t kNeuronOrders = 6;  // whose own values order a token set
constexpr std::size_t kMostSingles =
    256;  // tokens of a position that is divided into single ones at once

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

/// What a relaxed neuron may add to the bound over its range, good slopes assumed.
double gap(double kappa, double lo, double hi) {
  if (!(lo < 0 && hi > 0)) {
    return 0;
  }
  return kappa > 0 ? kappa * -lo * hi / (hi - lo) : -kappa * std::min(hi, -lo) / 2;
}

/// The tokens whose score is below the `half`-th, and the others.
Split two_parts(std::size_t slot, const TokenSet& set, const Row& score, std::size_t half) {
  std::vector<std::size_t> order(set.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score(index(a)) < score(index(b)); });
  Split split{Split::By::token, slot, std::vector<TokenSet>(2), 0};
  for (std::size_t e = 0; e < order.size(); ++e) {
    split.sets[e < half ? 0 : 1].push_back(set[order[e]]);
  }
  for (TokenSet& part : split.sets) {
    std::sort(part.begin(), part.end());
  }
  return split;
}

/// The rows' first principal direction, by a few power steps, as a score of the columns.
Row principal(Rows t) {
  t.colwise() -= Eigen::VectorXd(t.rowwise().mean());
  Eigen::VectorXd axis = Eigen::VectorXd::LinSpaced(t.rows(), 1.0, 2.0);
  for (int step = 0; step < 20; ++step) {
    const Eigen::VectorXd next = t * (t.transpose() * axis);
    const double norm = next.norm();
    if (!(norm > 1e-300)) {
      break;
    }
    axis = next / norm;
  }
  return (t.transpose() * axis).transpose();
}

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

}  // namespace

SplitChoice::SplitChoice(DomainWork& domain, const Target& target)
    : domain_(domain), net_(domain.places().net()), target_(target) {
  for (const Interval k : target.fold.kappa) {
    kappa_.push_back(middle(k));
  }
}

Split SplitChoice::by_readiness(const Box& box) const {
  if (net_.absolute && box.min_length < box.max_length) {
    return {Split::By::length, 0, {}, 0};
  }
  Split split{Split::By::token, 0, {}, 0};
  for (const TokenId t : *box.back[0]) {
    split.sets.push_back({t});
  }
  return split;
}

/// nu of every head along the node's direction, and the mass at its maximiser.
void SplitChoice::prepare(const ReadyCase& ready, const CaseBound& bound) {
  ready_ = &ready;
  nu_.clear();
  mass_.clear();
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Row gO = (net_.W_O[h].mid * bound.direction.transpose()).transpose();
    nu_.push_back((domain_.places().values(h).mid * gO.transpose()).transpose());
    double mass = 0;
    const std::vector<TokenId>& back = bound.maxima[h].back;
    for (std::size_t j = 0; j < back.size(); ++j) {
      const ReadyCase::Group& group = ready.group(j);
      const auto e = static_cast<std::size_t>(
          std::lower_bound(group.tokens.begin(), group.tokens.end(), back[j]) -
          group.tokens.begin());
      mass += ready.slot_factor(j, h) * group.mid[h][e];
    }
    mass_.push_back(mass > 0 ? mass : 1);
  }
}

/// The unstable neurons with the widest gaps.
void SplitChoice::take_neurons(const BranchNode& node, CaseWork& work) {
  neurons_.clear();
  if (net_.f == 0 || target_.kind == Target::Kind::normed_neuron || !target_.uses_mlp()) {
    return;
  }
  const std::vector<Interval> ranges = clipped(work.ranges(), node.neurons);
  lo_.clear();
  hi_.clear();
  std::vector<std::pair<double, std::size_t>> all;
  for (std::size_t j = 0; j < net_.f; ++j) {
    lo_.push_back(ranges[j].lo);
    hi_.push_back(ranges[j].hi);
    const double g = gap(kappa_[j], ranges[j].lo, ranges[j].hi);
    if (g > 0) {
      all.emplace_back(-g, j);
    }
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < std::min(all.size(), kNeurons); ++i) {
    neurons_.push_back(all[i].second);
  }
}

/// t_h(e) = w(ν − L_h)/D_h: what head h gains, to first order, from entry e at the slot.
Rows SplitChoice::gains(const ReadyCase& ready, const CaseBound& bound, std::size_t slot) const {
  const ReadyCase::Group& group = ready.group(slot);
  Rows t(index(net_.heads), index(group.rows.size()));
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const double factor = ready.slot_factor(slot, h) / mass_[h];
    for (std::size_t e = 0; e < group.rows.size(); ++e) {
      t(index(h), index(e)) =
          factor * group.mid[h][e] * (nu_[h](group.rows[e]) - bound.maxima[h].L);
    }
  }
  return t;
}

/// The slot where the heads disagree most, or else where the choice matters most.
std::optional<std::size_t> SplitChoice::busiest_slot(const BranchNode& node) const {
  double best_gap = 0;
  double best_spread = 0;
  std::optional<std::size_t> by_gap;
  std::optional<std::size_t> by_spread;
  for (std::size_t j = 1; j < ready_->most_keys(); ++j) {
    if (ready_->group(j).rows.size() < 2 && j < ready_->fewest_keys()) {
      continue;
    }
    const Rows t = gains(*ready_, *node.bound, j);
    const Row together = t.colwise().sum();
    const bool optional = j >= ready_->fewest_keys();  // a short context has no token here
    const Row alone = optional ? Row(t.rowwise().maxCoeff().transpose().cwiseMax(0.0))
                               : Row(t.rowwise().maxCoeff().transpose());
    const double best = optional ? std::max(together.maxCoeff(), 0.0) : together.maxCoeff();
    const double disagreement = alone.sum() - best;
    const double spread =
        together.maxCoeff() - together.minCoeff() + together.cwiseAbs().maxCoeff();
    if (disagreement > best_gap) {
      best_gap = disagreement;
      by_gap = j;
    }
    if (spread > best_spread || !by_spread) {
      best_spread = spread;
      by_spread = j;
    }
  }
  const bool disagree = by_gap && best_gap > 1e-9 * (1 + std::fabs(node.hi));
  return disagree ? by_gap : by_spread;
}

Split SplitChoice::singles(const BranchNode& node, std::size_t slot) const {
  Split split{Split::By::token, slot, {}, 0};
  for (const TokenId t : *node.box.back[slot]) {
    split.sets.push_back({t});
  }
  return split;
}

/// Halves along the heads' main disagreement.
Split SplitChoice::by_heads(const BranchNode& node, std::size_t slot) {
  const TokenSet& set = *node.box.back[slot];
  return two_parts(slot, set, principal(gains(*ready_, *node.bound, slot)), set.size() / 2);
}

SplitChoice::SlotGains SplitChoice::slot_gains(const BranchNode& node, std::size_t slot) const {
  const ReadyCase::Group& group = ready_->group(slot);
  SlotGains out;
  out.slot = slot;
  out.along = gains(*ready_, *node.bound, slot).colwise().sum();
  out.neurons = Rows::Zero(index(neurons_.size()), index(group.rows.size()));
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Ball& values = domain_.places().values(h);
    Rows to(values.mid.cols(), index(neurons_.size()));
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      to.col(index(i)) = net_.to_neurons[h].mid.col(index(neurons_[i]));
    }
    Rows weighted(index(group.rows.size()), values.mid.cols());
    const Row mean = head_mean(*ready_, h, node.bound->maxima[h].back);
    const double factor = ready_->slot_factor(slot, h) / mass_[h];
    for (std::size_t e = 0; e < group.rows.size(); ++e) {
      weighted.row(index(e)) = factor * group.mid[h][e] * (values.mid.row(group.rows[e]) - mean);
    }
    out.neurons += (weighted * to).transpose();
  }
  out.least = out.neurons.rowwise().minCoeff();
  out.most = out.neurons.rowwise().maxCoeff();
  return out;
}

/// Orders of the slot's tokens, each cut in two: along the folded direction, along the main direction of the gaps, and at the
/// sign of single neurons.
void SplitChoice::add_orders(const BranchNode& node, const SlotGains& gains,
                             std::vector<Split>& all) const {
  const TokenSet& set = *node.box.back[gains.slot];
  all.push_back(two_parts(gains.slot, set, gains.along, set.size() / 2));
  if (neurons_.empty()) {
    return;
  }
  Rows weighted = gains.neurons;
  for (std::size_t i = 0; i < neurons_.size(); ++i) {
    weighted.row(index(i)) *= std::fabs(kappa_[neurons_[i]]);
  }
  all.push_back(two_parts(gains.slot, set, principal(weighted), set.size() / 2));
  for (std::size_t i = 0; i < std::min(kNeuronOrders, neurons_.size()); ++i) {
    const std::size_t j = neurons_[i];
    const Row own = gains.neurons.row(index(i));
    // The middle of z_j's range at token u is own(u) - zero.
    const double zero = (own.maxCoeff() + own.minCoeff() - lo_[j] - hi_[j]) / 2;
    const auto below = static_cast<std::size_t>((own.array() < zero).count());
    if (below > 0 && below < set.size()) {
      all.push_back(two_parts(gains.slot, set, own, below));
    }
  }
}

/// The bound that the part's own ranges and maximum would give.
double SplitChoice::part_value(const BranchNode& node, const SlotGains& gains,
                               const TokenSet& part) const {
  const std::vector<std::size_t> entries = entries_of(*node.box.back[gains.slot], part);
  const auto range = [&](const auto& row) {
    Interval r(kInf, -kInf);
    for (const std::size_t e : entries) {
      r = Interval(std::min(r.lo, row(index(e))), std::max(r.hi, row(index(e))));
    }
    return r;
  };
  double value = node.hi + range(gains.along).hi - gains.along.maxCoeff();
  for (std::size_t i = 0; i < neurons_.size(); ++i) {
    const std::size_t j = neurons_[i];
    const Interval r = range(gains.neurons.row(index(i)));
    const double lo = lo_[j] + (r.lo - gains.least(index(i)));
    const double hi = hi_[j] - (gains.most(index(i)) - r.hi);
    value += gap(kappa_[j], lo, hi) - gap(kappa_[j], lo_[j], hi_[j]);
  }
  return value;
}

/// The split whose parts need the least further work, by estimate.
Split SplitChoice::best_of(const BranchNode& node, const std::vector<SlotGains>& slots,
                           double attained) const {
  Split best;
  double least = kInf;
  for (const SlotGains& gains : slots) {
    std::vector<Split> all;
    add_orders(node, gains, all);
    for (Split& split : all) {
      double sum = 0;
      for (const TokenSet& part : split.sets) {
        sum += std::max(part_value(node, gains, part) - attained, 0.0);
      }
      if (sum < least) {
        least = sum;
        best = std::move(split);
      }
    }
  }
  // Either sign of a neuron takes its gap away, and narrows nothing else.
  if (slots.size() > 1 && !neurons_.empty()) {
    const std::size_t j = neurons_.front();
    const double part = node.hi - gap(kappa_[j], lo_[j], hi_[j]) / 2 - attained;
    if (2 * std::max(part, 0.0) < least) {
      best = {Split::By::neuron, 0, {}, j};
    }
  }
  return best;
}

Split SplitChoice::choose(const BranchNode& node, double attained, std::size_t left) {
  const std::shared_ptr<CaseWork> work = domain_.work(node.box);
  prepare(work->ready(), *node.bound);
  take_neurons(node, *work);
  const std::optional<std::size_t> busiest = busiest_slot(node);
  if (!busiest) {
    return {};
  }
  if (*busiest >= node.box.min_length) {
    return {Split::By::length, *busiest, {}, 0};
  }
  if (neurons_.empty()) {
    return by_heads(node, *busiest);
  }
  std::vector<std::size_t> free;
  for (std::size_t j = 1; j < std::min(ready_->most_keys(), node.box.min_length); ++j) {
    if (ready_->group(j).rows.size() > 1) {
      free.push_back(j);
    }
  }
  // With one position left free the heads' bound is exact: so one is settled before the other is cut.
  if (free.size() == 2 && ready_->fewest_keys() == ready_->most_keys()) {
    const auto size = [&](std::size_t j) { return node.box.back[j]->size(); };
    const std::size_t first = size(free[0]) < size(free[1])   ? free[0]
                              : size(free[1]) < size(free[0]) ? free[1]
                                                              : *busiest;
    if (size(first) <= std::min(left, kMostSingles)) {
      return singles(node, first);
    }
    free = {first};
  }
  std::vector<SlotGains> slots;
  slots.reserve(free.size());
  for (const std::size_t j : free) {
    slots.push_back(slot_gains(node, j));
  }
  return best_of(node, slots, attained);
}

}  // namespace assay::bounds
