#include "split_choice.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "activation.hpp"
#include "dominant_split.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kNeurons = 64;      // whose gaps an estimate looks at
constexpr std::size_t kNeuronOrders = 6;  // whose own values order a token set
constexpr std::size_t kMostSingles =
    256;                          // tokens of a position that is divided into single ones at once
constexpr double kFavour = 1.25;  // of divisions by position, which first order rates too low
constexpr double kLeastRatio = 1.1;  // of weights, eighth root

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

/// The tokens whose score is below the `half`-th, and the others.
Split two_parts(std::size_t slot, const TokenSet& set, const Row& score, std::size_t half) {
  std::vector<std::size_t> order(set.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score(index(a)) < score(index(b)); });
  Split split{Split::By::token, slot, std::vector<TokenSet>(2), 0, {}};
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

}  // namespace

SplitChoice::SplitChoice(DomainWork& domain, const Target& target, bool by_position)
    : domain_(domain),
      net_(domain.places().net()),
      target_(target),
      may_divide_by_position_(by_position) {
  for (const Interval k : target.fold.kappa) {
    kappa_.push_back(middle(k));
  }
}

Split SplitChoice::by_readiness(const Box& box) const {
  if (net_.absolute && box.min_length < box.max_length) {
    return {Split::By::length, 0, {}, 0, {}};
  }
  Split split{Split::By::token, 0, {}, 0, {}};
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
  const bool is_hull = node.bound->rule == CaseRule::hull;  // exact at a vertex where kappa > 0
  const std::vector<Interval> ranges = clipped(work.ranges(), node.neurons);
  for (std::size_t j = 0; j < net_.f; ++j) {
    const UnstableNeuron n{j, kappa_[j], ranges[j].lo, ranges[j].hi};
    if (n.gap() > 0 && !(is_hull && n.kappa > 0)) {
      neurons_.push_back(n);
    }
  }
  std::stable_sort(
      neurons_.begin(), neurons_.end(),
      [](const UnstableNeuron& a, const UnstableNeuron& b) { return a.gap() > b.gap(); });
  neurons_.resize(std::min(neurons_.size(), kNeurons));
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
  Split split{Split::By::token, slot, {}, 0, {}};
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

SlotGains SplitChoice::slot_gains(const BranchNode& node, std::size_t slot) const {
  const ReadyCase::Group& group = ready_->group(slot);
  SlotGains out;
  out.slot = slot;
  out.along = gains(*ready_, *node.bound, slot).colwise().sum();
  out.neurons = Rows::Zero(index(neurons_.size()), index(group.rows.size()));
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Ball& values = domain_.places().values(h);
    Rows to(values.mid.cols(), index(neurons_.size()));
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      to.col(index(i)) = net_.to_neurons[h].mid.col(index(neurons_[i].neuron));
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
    weighted.row(index(i)) *= std::fabs(neurons_[i].kappa);
  }
  all.push_back(two_parts(gains.slot, set, principal(weighted), set.size() / 2));
  for (std::size_t i = 0; i < std::min(kNeuronOrders, neurons_.size()); ++i) {
    const Row own = gains.neurons.row(index(i));
    // The middle of z_j's range at token u is own(u) - zero.
    const double zero = (own.maxCoeff() + own.minCoeff() - neurons_[i].lo - neurons_[i].hi) / 2;
    const auto below = static_cast<std::size_t>((own.array() < zero).count());
    if (below > 0 && below < set.size()) {
      all.push_back(two_parts(gains.slot, set, own, below));
    }
  }
}

/// The split whose parts need the least further work, by estimate.
Split SplitChoice::best_of(const BranchNode& node, const std::vector<SlotGains>& slots,
                           double attained, std::size_t left) const {
  const SplitEstimate estimate(node, slots, neurons_, attained);
  Split best;
  double least = kInf;
  for (const SlotGains& gains : slots) {
    std::vector<Split> all;
    add_orders(node, gains, all);
    for (Split& split : all) {
      const double work = estimate.work(split);
      if (work < least) {
        least = work;
        best = std::move(split);
      }
    }
  }
  if (slots.size() < 2) {
    return best;
  }
  // Either sign of a neuron takes its gap away, and narrows nothing else.
  const UnstableNeuron& widest = neurons_.front();
  if (2 * std::max(node.hi - widest.gap() / 2 - attained, 0.0) < least) {
    return {Split::By::neuron, 0, {}, widest.neuron, {}};
  }
  if (may_divide_by_position_ && slots.size() < left) {
    double ease = estimate.ease(best, 1);
    for (Split& split : by_position(node, slots)) {
      const double other = estimate.ease(split, kFavour);
      if (other > ease) {
        ease = other;
        best = std::move(split);
      }
    }
  }
  return best;
}

/// By the weights of a head, by what the tokens add along the folded direction, and to the neuron with the widest gap.
std::vector<Split> SplitChoice::by_position(const BranchNode& node,
                                            const std::vector<SlotGains>& slots) const {
  std::vector<Split> all;
  std::vector<SlotScores> along, neuron;
  for (const SlotGains& gains : slots) {
    along.push_back({gains.slot, gains.along});
    neuron.push_back({gains.slot, gains.neurons.row(0)});
  }
  for (std::size_t h = 0; h < net_.heads; ++h) {
    std::vector<SlotScores> weights;
    for (const SlotGains& gains : slots) {
      weights.push_back({gains.slot, slot_weights(gains.slot, h)});
    }
    add_dominant_splits(node.box, weights, all);
  }
  add_dominant_splits(node.box, along, all);
  add_dominant_splits(node.box, neuron, all);
  return all;
}

Row SplitChoice::slot_weights(std::size_t slot, std::size_t head) const {
  const std::vector<double>& weight = ready_->group(slot).mid[head];
  return ready_->slot_factor(slot, head) *
         Eigen::Map<const Row>(weight.data(), index(weight.size()));
}

/// Without neurons the loss is the heads': of ATTN-JOINT, the range of what a head's values are divided by. The head whose weights times
/// values reach farthest, cut at an eighth (of the logarithms' range) below its largest weight.
Split SplitChoice::by_widest_head(const BranchNode& node,
                                  const std::vector<std::size_t>& free) const {
  double widest = 0;
  Split best;
  for (std::size_t h = 0; h < net_.heads; ++h) {
    std::vector<SlotScores> weights;
    double least = kInf, most = 0, reach = 0;
    for (const std::size_t slot : free) {
      weights.push_back({slot, slot_weights(slot, h)});
      least = std::min(least, weights.back().score.minCoeff());
      most = std::max(most, weights.back().score.maxCoeff());
      Interval values(kInf, -kInf);
      for (const std::uint32_t row : ready_->group(slot).rows) {
        values = Interval(std::min(values.lo, nu_[h](row)), std::max(values.hi, nu_[h](row)));
      }
      reach = std::max(reach, values.width());
    }
    const double ratio =
        std::sqrt(std::sqrt(std::sqrt(most / least)));  // no libm: the same everywhere
    if (!(ratio > kLeastRatio) || !(reach * (ratio - 1) > widest)) {
      continue;
    }
    Split split = dominant_split(node.box, weights, most / ratio);
    if (split.by == Split::By::dominant) {
      widest = reach * (ratio - 1);
      best = std::move(split);
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
    return {Split::By::length, *busiest, {}, 0, {}};
  }
  std::vector<std::size_t> free;
  for (std::size_t j = 1; j < std::min(ready_->most_keys(), node.box.min_length); ++j) {
    if (ready_->group(j).rows.size() > 1) {
      free.push_back(j);
    }
  }
  if (neurons_.empty()) {
    const bool may = may_divide_by_position_ && free.size() > 1 && free.size() < left;
    Split split = may ? by_widest_head(node, free) : Split{};
    return split.by == Split::By::none ? by_heads(node, *busiest) : split;
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
  return best_of(node, slots, attained, left);
}

}  // namespace assay::bounds
