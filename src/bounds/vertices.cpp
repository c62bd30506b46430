#include "vertices.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "polyak.hpp"

namespace assay::bounds {
namespace {

constexpr double kWidest = 0x1p-10;  ///< of a weight: with less known the checker may know none
constexpr double kLeast =
    0x1p-400;  ///< of what the fixed positions have against the heaviest token
constexpr std::size_t kMostNumbers = std::size_t{1} << 24;  ///< z_j at all vertices
constexpr double kStill =
    0x1p-30;  ///< of a head's weight: with no more than that free it does not move
constexpr double kRoom =
    16;  ///< for the checker's own roundings, which it knows in units of its tables
constexpr double kTie =
    0x1p-30;  ///< of what z_j is made of: ranges that other roundings could turn
constexpr std::size_t kStepsAStep =
    4;  ///< a step is a matrix product here, and an attention maximum in FOLD
constexpr double kGrid =
    0x1p16;  ///< slopes are multiples of 1/kGrid, so that certificates stay short

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

Interval value_of(const Ball& nu, std::uint32_t row) {
  const Eigen::Index at = index(row);
  return nu.mid.rows() == 1 ? nu.at(0, at) : nu.at(at, 0);
}

/// Of the values that the heads may give.
double size_of(const std::vector<Ball>& nu) {
  double sum = 0;
  for (const Ball& head : nu) {
    sum += head.mid.cwiseAbs().maxCoeff();
  }
  return sum;
}

}  // namespace

std::optional<CaseVertices> CaseVertices::make(const ReadyCase& ready) {
  const Network& net = ready.places().net();
  if (net.norm || net.act != ActFn::relu || net.f == 0) {
    return std::nullopt;
  }
  CaseVertices out(ready);
  out.list_tokens();
  if (out.rows_.size() * net.f > kMostNumbers || !out.place_heads()) {
    return std::nullopt;
  }
  out.place_neurons();
  return out;
}

/// The vertices: none, unless all free positions are in every context, and the tokens of the free positions.
void CaseVertices::list_tokens() {
  std::map<std::uint32_t, Entry> tokens;
  bool is_sure = true;
  std::optional<std::size_t> first;
  for (std::size_t j = 0; j < ready_->most_keys(); ++j) {
    const ReadyCase::Group& group = ready_->group(j);
    if (group.rows.size() == 1 && j < ready_->fewest_keys()) {
      fixed_rows_.push_back(group.rows[0]);
      continue;
    }
    ++free_slots_;
    first = first.value_or(ready_->group_index(j));
    are_contexts_ = are_contexts_ && ready_->group_index(j) == *first;
    is_sure = is_sure && j < ready_->fewest_keys();
    for (std::size_t e = 0; e < group.rows.size(); ++e) {
      tokens.emplace(group.rows[e], Entry{j, e});
    }
  }
  are_contexts_ = are_contexts_ && (is_sure || fixed_rows_.size() == ready_->fewest_keys());
  if (!is_sure || tokens.empty()) {
    rows_.push_back(Places::kNone);
    entries_.emplace_back();
  }
  for (const auto& [row, entry] : tokens) {
    rows_.push_back(row);
    entries_.push_back(entry);
  }
}

/// False: the rule does not speak of this case.
bool CaseVertices::place_heads() {
  const Network& net = ready_->places().net();
  const bool has_positions = net.absolute || net.rotary;
  if (has_positions && free_slots_ > 1) {
    return false;
  }
  std::size_t moving = 0;
  for (std::size_t h = 0; h < net.heads; ++h) {
    shares_.push_back(shares_of(h));
    if (!shares_[h].is_known) {
      return false;
    }
    if (!(shares_[h].most <= kStill)) {
      ++moving;
      head_ = h;
    }
  }
  if (moving == 1 && !has_positions) {
    return true;
  }
  head_ = net.heads;
  return free_slots_ <= 1;
}

CaseVertices::Shares CaseVertices::shares_of(std::size_t head) const {
  const QueryWeights& query = ready_->query();
  Shares out;
  Interval n(0.0), F(0.0);
  double top = 0;
  for (std::size_t j = 0; j < ready_->most_keys(); ++j) {
    for (std::size_t e = 0; j < query.pools.size() && e < query.pools[j].rows.size(); ++e) {
      const Interval w = query.pools[j].weight[head][e];
      top = std::max(top, w.hi);
      out.is_known = out.is_known && w.hi - w.lo <= kWidest * w.hi;
    }
    const ReadyCase::Group& group = ready_->group(j);
    if (group.rows.size() == 1 && j < ready_->fewest_keys()) {
      out.fixed.push_back(query.factor[j][head] * Interval(group.lo[head][0], group.hi[head][0]));
      n += out.fixed.back();
    } else {
      F += query.factor[j][head];
    }
  }
  out.is_known = out.is_known && n.lo > kLeast * (n.hi + F.hi * top);
  if (!out.is_known) {
    return out;
  }
  for (Interval& w : out.fixed) {
    w = w / n;
  }
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    Interval share(0.0);
    if (rows_[v] != Places::kNone) {
      const ReadyCase::Group& group = ready_->group(entries_[v].slot);
      const std::size_t e = entries_[v].at;
      const Interval free = F * Interval(group.lo[head][e], group.hi[head][e]);
      share = free / (n + free);
    }
    out.most = std::max(out.most, share.hi);
    out.free.push_back(share);
  }
  return out;
}

std::vector<Interval> CaseVertices::along(const std::vector<Ball>& nu, Interval base) const {
  Interval rest = base;
  std::vector<Interval> out(rows_.size(), Interval(0.0));
  for (std::size_t h = 0; h < nu.size(); ++h) {
    Interval mean(0.0);
    for (std::size_t i = 0; i < fixed_rows_.size(); ++i) {
      mean += shares_[h].fixed[i] * value_of(nu[h], fixed_rows_[i]);
    }
    rest += mean;
    Interval moved(0.0);  // of a vertex against none
    for (std::size_t v = 0; v < rows_.size(); ++v) {
      if (rows_[v] == Places::kNone) {
        continue;
      }
      const Interval away = value_of(nu[h], rows_[v]) - mean;
      if (h == head_ || head_ == nu.size()) {
        out[v] += shares_[h].free[v] * away;
      } else {
        moved = hull(moved, away);
      }
    }
    rest += Interval(0.0, shares_[h].most) * moved;
  }
  for (Interval& at : out) {
    at += rest;
  }
  return out;
}

void CaseVertices::place_neurons() {
  const Network& net = ready_->places().net();
  const std::vector<Interval>& base = ready_->query().along_neurons();
  for (std::size_t j = 0; j < net.f; ++j) {
    std::vector<Ball> nu;
    for (std::size_t h = 0; h < net.heads; ++h) {
      nu.push_back(ready_->places().along_neuron(h, j));
    }
    const Interval start = base[j] + Interval(net.neuron_offsets.mid(0, index(j)));
    neurons_.push_back(along(nu, start));
    sizes_.push_back(size_of(nu) + std::fabs(start.lo));
    ranges_.push_back(neurons_[j][0]);
    for (const Interval& z : neurons_[j]) {
      ranges_[j] = hull(ranges_[j], z);
    }
  }
}

namespace {

/// Slopes in [0, 1] that make the largest entry of constant + by_slope a small: projected
/// subgradients from `start`, with steps after the value `goal` that no slopes can undercut.
std::vector<double> descend(const std::vector<double>& start,
                            const Eigen::Map<const Eigen::MatrixXd>& by_slope,
                            const Eigen::VectorXd& constant, double goal, std::size_t steps) {
  const auto value = [&](const std::vector<double>& x, std::vector<double>& gradient) {
    const Eigen::Map<const Eigen::VectorXd> a(x.data(), index(x.size()));
    const Eigen::VectorXd all = constant + by_slope * a;
    Eigen::Index worst = 0;
    const double hi = all.maxCoeff(&worst);
    gradient.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double g = by_slope(worst, index(i));
      const bool is_held = (g > 0 && x[i] <= 0) || (g < 0 && x[i] >= 1);
      gradient[i] = is_held ? 0 : g;
    }
    return hi;
  };
  const auto project = [](std::vector<double>& x) {
    for (double& a : x) {
      a = std::clamp(a, 0.0, 1.0);
    }
  };
  return polyak(start, goal, steps, value, project);
}

}  // namespace

/// @param fixed_part what the slopes do not move, of each vertex
std::vector<double> CaseVertices::find_slopes(const FoldTarget& target,
                                              const std::vector<Interval>& fixed_part,
                                              std::size_t steps) const {
  const std::size_t V = rows_.size();
  std::vector<double> slopes(target.kappa.size(), 0.0), start;
  std::vector<std::size_t> open;
  Eigen::VectorXd constant(index(V)), exact(index(V));
  for (std::size_t v = 0; v < V; ++v) {
    constant(index(v)) = exact(index(v)) = middle(fixed_part[v]);
  }
  std::vector<double> lines;  // [open][vertices]: kappa_j z_j(v)
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    if (target.kappa[j].hi > 0) {
      continue;
    }
    const double kappa = middle(target.kappa[j]);
    const double lo = ranges_[j].lo, hi = ranges_[j].hi;
    if (lo >= 0 || hi <= 0) {
      slopes[j] = lo >= 0 ? 1 : 0;
      for (std::size_t v = 0; lo >= 0 && v < V; ++v) {
        constant(index(v)) += kappa * middle(neurons_[j][v]);
        exact(index(v)) += kappa * middle(neurons_[j][v]);
      }
      continue;
    }
    open.push_back(j);
    start.push_back(hi > -lo ? 1 : 0);
    for (std::size_t v = 0; v < V; ++v) {
      lines.push_back(kappa * middle(neurons_[j][v]));
      exact(index(v)) += std::min(lines.back(), 0.0);
    }
  }
  if (open.empty()) {
    return slopes;
  }
  const std::vector<double> best = descend(start, {lines.data(), index(V), index(open.size())},
                                           constant, exact.maxCoeff(), kStepsAStep * steps);
  for (std::size_t i = 0; i < open.size(); ++i) {
    slopes[open[i]] = std::nearbyint(best[i] * kGrid) / kGrid;
  }
  return slopes;
}

/// With chords for the neurons that count positively.
Row CaseVertices::fold(const FoldTarget& target, const std::vector<double>& slopes) const {
  const Ball& all = ready_->places().net().neuron_directions;
  Row out(index(target.g0.size()));
  for (std::size_t i = 0; i < target.g0.size(); ++i) {
    out(index(i)) = middle(target.g0[i]);
  }
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    const Interval z = ranges_[j];
    const bool is_chord = target.kappa[j].hi > 0;
    const double chord = z.lo >= 0 ? 1 : z.hi <= 0 ? 0 : z.hi / (z.hi - z.lo);
    out += middle(target.kappa[j]) * (is_chord ? chord : slopes[j]) *
           all.mid.col(index(j)).transpose();
  }
  return out;
}

/// At every vertex, what the slopes do not move.
CaseVertices::Sum CaseVertices::start(const FoldTarget& target) const {
  std::vector<Ball> nu;
  const Direction g = to_direction(target.g0);
  for (std::size_t h = 0; h < shares_.size(); ++h) {
    nu.push_back(ready_->places().along(h, g));
  }
  Sum sum{along(nu, target.const0 + ready_->base(target.g0)),
          std::fabs(target.const0.lo) + std::fabs(target.const0.hi) + size_of(nu)};
  for (std::size_t j = 0; j < target.kappa.size(); ++j) {
    const Interval kappa = target.kappa[j];
    for (std::size_t v = 0; kappa.hi > 0 && v < rows_.size(); ++v) {
      sum.at[v] += Interval(kappa.hi) * relu(Interval(neurons_[j][v].hi));
    }
    sum.size += std::max(std::fabs(kappa.lo), std::fabs(kappa.hi)) * sizes_[j];
  }
  return sum;
}

/// The largest sum with the lines of these slopes added, room included.
CaseVertices::Top CaseVertices::finish(const FoldTarget& target, const std::vector<double>& slopes,
                                       Sum sum) const {
  for (std::size_t j = 0; j < target.kappa.size(); ++j) {
    const bool has_line = !(target.kappa[j].hi > 0) && slopes[j] != 0;
    for (std::size_t v = 0; has_line && v < rows_.size(); ++v) {
      sum.at[v] += target.kappa[j] * Interval(slopes[j]) * neurons_[j][v];
    }
  }
  Top top{-HUGE_VAL, 0};
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    const double hi = std::isnan(sum.at[v].hi) ? HUGE_VAL : sum.at[v].hi;
    if (hi > top.hi) {
      top = {hi, v};
    }
    sum.size = std::max(sum.size, std::fabs(sum.at[v].lo));
  }
  top.hi = with_room(top.hi, kRoom * sum.size);
  return top;
}

double CaseVertices::proved(const FoldTarget& target, const std::vector<double>& slopes) const {
  return finish(target, slopes, start(target)).hi;
}

double CaseVertices::proved_by_either(const FoldTarget& target) const {
  std::vector<double> slopes;
  for (std::size_t j = 0; j < target.kappa.size(); ++j) {
    const Interval z = ranges_[j];
    if (!(target.kappa[j].hi > 0) && std::fabs(z.lo + z.hi) <= kTie * (sizes_[j] + z.width())) {
      return HUGE_VAL;
    }
    slopes.push_back(z.hi > -z.lo ? 1 : 0);
  }
  return proved(target, slopes);
}

CaseVertices::Bound CaseVertices::bound(const FoldTarget& target, std::size_t steps) const {
  Sum sum = start(target);
  Bound out;
  out.slopes = find_slopes(target, sum.at, steps);
  out.direction = fold(target, out.slopes);
  const Top top = finish(target, out.slopes, std::move(sum));
  out.hi = top.hi;
  const bool is_none = rows_[top.vertex] == Places::kNone;
  for (std::size_t j = 0; j < (is_none ? ready_->fewest_keys() : ready_->most_keys()); ++j) {
    const ReadyCase::Group& group = ready_->group(j);
    const auto at = std::find(group.rows.begin(), group.rows.end(), rows_[top.vertex]);
    out.worst.back.push_back(group.tokens[static_cast<std::size_t>(
        at == group.rows.end() ? 0 : at - group.rows.begin())]);
  }
  return out;
}

}  // namespace assay::bounds
