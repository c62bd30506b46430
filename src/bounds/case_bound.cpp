#include "case_bound.hpp"

#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "assay/base/errors.hpp"

namespace assay::bounds {
namespace {

/// The number of 30 significant bits at or below x > 0.
double short_below(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::floor(std::ldexp(fraction, 30)), exponent - 30);
}

constexpr HeadsEffort kRangeEffort{24, 20}, kApart{0, 20};

/// The heads' numbers for g and for -g, and the interval that they prove.
struct BothSides {
  HeadNumbers U, D;
  Interval sum;
};

BothSides both_sides(CaseWork& work, const std::vector<Ball>& nu, Interval base,
                     HeadsEffort effort = kRangeEffort) {
  std::vector<Ball> minus = nu;
  for (Ball& ball : minus) {
    ball.mid = -ball.mid;
  }
  HeadsBound up = bound_heads(work.ready(), work.joint(), nu, effort);
  HeadsBound down = bound_heads(work.ready(), work.joint(), minus, effort);
  const Interval hi = base + Interval(up.hi);
  const Interval lo = base - Interval(down.hi);
  return {std::move(up.numbers), std::move(down.numbers), {lo.lo, hi.hi}};
}

double square(double x) {
  return round_up(x * x);
}

/// 1/sqrt(S/d + eps) for S in [lo, hi], to 30 bits outward.
std::pair<double, double> inverse_deviation(const Network& net, double S_lo, double S_hi) {
  const Interval d(static_cast<double>(net.d));
  const auto at = [&](double S) {
    return Interval(1.0) / sqrt(Interval(std::max(S, 0.0)) / d + net.eps);
  };
  const double lo = short_below(at(S_hi).lo * (1 - 0x1p-36));
  const double below = short_below(at(S_lo).hi * (1 + 0x1p-36));
  return {lo, below * (1 + 0x1p-29)};
}

/// Sums of the smallest and of the largest squares over a box.
std::pair<double, double> square_sums(const std::vector<Interval>& box) {
  double lo = 0;
  double hi = 0;
  for (const Interval v : box) {
    const double far = std::max(std::fabs(v.lo), std::fabs(v.hi));
    const double near = v.lo > 0 ? v.lo : v.hi < 0 ? -v.hi : 0.0;
    hi = round_up(hi + square(far));
    lo = std::max(0.0, round_down(lo + round_down(near * near)));
  }
  return {lo, hi};
}

/// Stable, by more than the room that another computation of the same range could take.
bool is_surely_stable(Interval range) {
  const double margin = 1e-6 * (1 + range.width());
  return range.lo > margin || range.hi < -margin;
}

/// The box a little wider, by 2^-36 of what was added up: a checker's ends are not bit for bit these.
std::vector<Interval> with_box_room(std::vector<Interval> box, const std::vector<double>& size) {
  for (std::size_t i = 0; i < box.size(); ++i) {
    const double room = 0x1p-36 * (size[i] + std::fabs(box[i].lo) + std::fabs(box[i].hi));
    box[i] += Interval(-room, room);
  }
  return box;
}

/// SPHERE   |P y| / sqrt(|P y|^2/d + eps) <= sqrt(d)   |-   <h, LN(y)> <= sqrt(d) |h|, h centred
Interval sphere(const Network& net, Interval size) {
  const double radius = (sqrt(Interval(static_cast<double>(net.d))) * size).hi;
  return {-radius, radius};
}

}  // namespace

const JointAttention* CaseWork::joint() {
  if (!is_joint_known_) {
    joint_ = JointAttention::make(ready_);
    is_joint_known_ = true;
  }
  return joint_ ? &*joint_ : nullptr;
}

const ExactCase* CaseWork::exact() {
  if (is_exact_known_) {
    return exact_ ? &*exact_ : nullptr;
  }
  is_exact_known_ = true;
  const JointAttention* all = joint();
  if (all == nullptr || all->free_slots() > 1 || !all->is_one_length()) {
    return nullptr;
  }
  std::size_t slot = 0;
  std::vector<TokenId> back;
  for (std::size_t j = 0; j < all->most_keys(); ++j) {
    slot = ready_.group(j).rows.size() > 1 ? j : slot;
    back.push_back(ready_.group(j).tokens.front());
  }
  const TokenSet& tokens = ready_.group(slot).tokens;
  exact_.emplace();
  exact_->mids = Rows(index(tokens.size()), index(net().d));
  for (std::size_t e = 0; e < tokens.size(); ++e) {
    back[slot] = tokens[e];
    exact_->mids.row(index(e)) =
        nearest_mid(ready_, std::vector<const std::vector<TokenId>*>(net().heads, &back));
  }
  exact_->neurons = exact_->mids * net().neuron_directions.mid;
  return &*exact_;
}

const CaseVertices* CaseWork::vertices() {
  if (!are_vertices_known_) {
    vertices_ = CaseVertices::make(ready_);
    are_vertices_known_ = true;
  }
  return vertices_ ? &*vertices_ : nullptr;
}

const std::vector<Interval>& CaseWork::ranges() {
  return vertices() == nullptr ? neurons().range : vertices_->ranges();
}

const CaseNeurons& CaseWork::neurons() {
  if (neurons_) {
    return *neurons_;
  }
  const Network& n = net();
  const bool is_relu =
      n.act == ActFn::relu && !n.norm;  // a stable neuron's range is not read again
  const std::shared_ptr<CaseWork> parent = is_relu ? parent_.lock() : nullptr;
  const CaseNeurons* known =
      parent && parent->neurons_ && (parent->joint() == nullptr || joint() != nullptr)
          ? &*parent->neurons_
          : nullptr;
  CaseNeurons out;
  for (std::size_t j = 0; j < n.f; ++j) {
    if (known != nullptr && is_surely_stable(known->range[j])) {
      const auto adopted = [&](const HeadNumbers& numbers) {
        return numbers.theta.empty() ? numbers : joint()->adopted(numbers, *parent->joint());
      };
      out.U.push_back(adopted(known->U[j]));
      out.D.push_back(adopted(known->D[j]));
      out.range.push_back(known->range[j]);
      continue;
    }
    bound_neuron(j, out);
  }
  neurons_ = std::move(out);
  return *neurons_;
}

void CaseWork::bound_neuron(std::size_t j, CaseNeurons& out) {
  const Network& n = net();
  std::vector<Ball> nu;
  for (std::size_t h = 0; h < n.heads; ++h) {
    nu.push_back(ready_.places().along_neuron(h, j));
  }
  const bool is_exact = n.neuron_offsets.radius(0, index(j)) == 0;
  const Interval offset =
      is_exact ? Interval(n.neuron_offsets.mid(0, index(j))) : n.neuron_offsets.at(0, index(j));
  const Interval base = ready_.query().along_neurons()[j];
  BothSides both;
  if (n.act == ActFn::relu && !n.norm) {  // a stable neuron's ends are not read: short numbers do
    both = both_sides(*this, nu, base, kApart);
  }
  if (both.U.L.empty() || !is_surely_stable(both.sum + offset)) {
    both = both_sides(*this, nu, base);
  }
  if (!n.norm) {
    out.range.push_back(both.sum + offset);
  } else {
    const Interval scaled = both.sum * Interval(spread().lo, spread().hi);
    Interval squares(0.0);
    for (const Interval g : n.neuron_direction(j)) {
      const Interval s = g * g;
      squares += Interval(std::max(s.lo, 0.0), s.hi);
    }
    const Interval cap = sphere(n, sqrt(Interval(std::max(squares.lo, 0.0), squares.hi)));
    out.range.push_back(offset +
                        Interval(std::max(scaled.lo, cap.lo), std::min(scaled.hi, cap.hi)));
  }
  out.U.push_back(std::move(both.U));
  out.D.push_back(std::move(both.D));
}

const Spread& CaseWork::spread() {
  if (spread_) {
    return *spread_;
  }
  const Network& n = net();
  Spread out;
  const Interval mean = Interval(1.0) / Interval(static_cast<double>(n.d));
  for (std::size_t i = 0; i < n.d; ++i) {
    std::vector<Interval> g(n.d, -mean);
    g[i] = Interval(1.0) - mean;
    std::vector<Ball> nu;
    for (std::size_t h = 0; h < n.heads; ++h) {
      nu.push_back(ready_.places().along(h, to_direction(g)));
    }
    BothSides both = both_sides(*this, nu, ready_.base(g));
    out.box.push_back(both.sum);
    out.U.push_back(std::move(both.U));
    out.D.push_back(std::move(both.D));
    out.u.push_back(std::nearbyint((out.box[i].lo + out.box[i].width() / 2) * 0x1p20) * 0x1p-20);
  }
  Interval total(0.0);
  for (const double v : out.u) {
    total += Interval(v);
  }
  std::vector<Interval> minus;  // -P u
  Interval squares(0.0);
  for (const double v : out.u) {
    minus.push_back(total * mean - Interval(v));
    const Interval s = minus.back() * minus.back();
    squares += Interval(std::max(s.lo, 0.0), s.hi);
  }
  std::vector<Ball> nu;
  for (std::size_t h = 0; h < n.heads; ++h) {
    nu.push_back(ready_.places().along(h, to_direction(minus)));
  }
  HeadsBound heads = bound_heads(ready_, joint(), nu, kRangeEffort);
  const Interval far = ready_.base(minus) + Interval(heads.hi);
  out.heads = std::move(heads.numbers);
  auto [S_lo, S_hi] = square_sums(with_box_room(out.box, std::vector<double>(n.d, 0.0)));
  const double l = -far.hi;
  if (l > 0 && squares.hi > 0) {
    const Interval bound = Interval(l) * Interval(l) / Interval(squares.hi);
    S_lo = std::max(S_lo, bound.lo);
  }
  std::tie(out.lo, out.hi) = inverse_deviation(n, S_lo, S_hi);
  spread_ = std::move(out);
  return *spread_;
}

const FinalSpread& CaseWork::final_spread() {
  if (final_) {
    return *final_;
  }
  const Network& n = net();
  std::vector<Interval> box = spread().box;
  std::vector<double> size(n.d, 0.0);
  const auto centre_into = [&](const Row& row, Interval factor) {
    Interval sum(0.0);
    for (std::size_t i = 0; i < n.d; ++i) {
      sum += Interval(row(index(i)));
    }
    const Interval mean = sum / Interval(static_cast<double>(n.d));
    for (std::size_t i = 0; i < n.d; ++i) {
      const Interval term = factor * (Interval(row(index(i))) - mean);
      box[i] += term;
      size[i] += std::fabs(term.lo) + std::fabs(term.hi);
    }
  };
  if (n.f != 0) {
    centre_into(n.b_out, Interval(1.0));
    for (std::size_t j = 0; j < n.f; ++j) {
      centre_into(n.W_out.row(index(j)), activation(n.act, neurons().range[j]));
    }
  }
  const auto [S_lo, S_hi] = square_sums(with_box_room(std::move(box), size));
  FinalSpread out;
  std::tie(out.lo, out.hi) = inverse_deviation(n, S_lo, S_hi);
  final_ = out;
  return *final_;
}

CaseBound bound_case(CaseWork& work, const Target& target, const std::vector<NeuronPart>& parts,
                     FoldEffort effort) {
  const Network& net = work.net();
  if (target.kind == Target::Kind::folded) {
    return bound_fold(work, target.fold, parts, effort);
  }
  if (target.kind == Target::Kind::normed_neuron) {
    CaseBound bound;
    bound.rule = CaseRule::norm_linear;
    const Interval range = work.neurons().range[target.neuron];
    bound.hi = with_room(target.sign > 0 ? range.hi : -range.lo,
                         std::fabs(range.lo) + std::fabs(range.hi));
    // The direction that a split should make smaller: the neuron's own.
    bound.direction = target.sign * net.neuron_directions.mid.col(index(target.neuron)).transpose();
    for (std::size_t h = 0; h < net.heads; ++h) {
      const Rows nu = target.sign * work.ready().places().along_neuron(h, target.neuron).mid;
      bound.maxima.push_back(work.ready().ascend(h, nu.data(), true));
    }
    return bound;
  }
  CaseBound bound = bound_fold(work, target.fold, parts, effort);
  bound.numerator = bound.rule;
  const FinalSpread& spread = work.final_spread();
  const Interval ratio = Interval(bound.hi) * Interval(bound.hi >= 0 ? spread.hi : spread.lo);
  const Interval cap = sphere(net, target.final_size);
  const bool is_sphere = !(ratio.hi < cap.hi);
  bound.rule = is_sphere ? CaseRule::sphere : CaseRule::final;
  const double part = is_sphere ? cap.hi : ratio.hi;
  bound.hi = with_room((target.final_const + Interval(part)).hi,
                       std::fabs(target.final_const.hi) + std::fabs(part));
  return bound;
}

}  // namespace assay::bounds
