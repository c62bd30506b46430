#include "joint_attention.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "polyak.hpp"
#include "weighted_sum.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kMostEntries = 1 << 15;  // entries by heads by lengths: above it the search costs more than splits
constexpr double kSmallest = 1e-150;           // of weight sums
constexpr double kRoomOfUnit = 0x1p-36;        // both sides take the nearest largest weight
constexpr double kRoomOfValues = 32;           // a checker may know nu several times more widely

std::size_t entry_count(const ReadyCase& ready) {
  std::size_t n = 0;
  for (std::size_t j = 0; j < ready.most_keys(); ++j) {
    n += ready.group(j).rows.size();
  }
  return n;
}

double psi(double lo, double hi, double t) {
  return std::max(lo * t, hi * t);
}

}  // namespace

std::optional<JointAttention> JointAttention::make(const ReadyCase& ready) {
  const std::size_t heads = ready.places().net().heads;
  const std::size_t lengths = ready.most_keys() - ready.fewest_keys() + 1;
  if (heads < 2 || entry_count(ready) * heads * lengths > kMostEntries) {
    return std::nullopt;
  }
  JointAttention joint(ready);
  for (std::size_t n = ready.fewest_keys(); n <= ready.most_keys(); ++n) {
    joint.lengths_.push_back({n, {}, {}, {}, {}});
    if (!joint.fill(joint.lengths_.back())) {
      return std::nullopt;
    }
  }
  return joint;
}

JointAttention::JointAttention(const ReadyCase& ready)
    : heads_(ready.places().net().heads),
      slots_(ready.most_keys()),
      unevenness_(ready.places().unevenness()) {
  for (std::size_t j = 0; j < slots_; ++j) {
    const ReadyCase::Group& group = ready.group(j);
    begin_.push_back(rows_.size());
    rows_.insert(rows_.end(), group.rows.begin(), group.rows.end());
    tokens_.insert(tokens_.end(), group.tokens.begin(), group.tokens.end());
    free_ += group.rows.size() > 1 ? 1 : 0;
  }
  begin_.push_back(rows_.size());
  for (std::size_t h = 0; h < heads_; ++h) {
    double unit = 0;
    for (std::size_t j = 0; j < slots_; ++j) {
      const ReadyCase::Group& group = ready.group(j);
      const Interval factor = ready.query().factor[j][h];
      double top = 0;
      for (std::size_t e = 0; e < group.rows.size(); ++e) {
        const Interval w = factor * Interval(group.lo[h][e], group.hi[h][e]);
        lo_.push_back(std::max(w.lo, 0.0));
        hi_.push_back(w.hi);
        mid_.push_back(lo_.back() + (w.hi - lo_.back()) / 2);
        top = std::max(top, mid_.back());
      }
      unit = std::max(unit, top);
    }
    unit_.push_back(unit);
  }
}

/// D_h(j,u) = w_h(j,u) + the other slots' least (largest) weights, summed before and after j.
bool JointAttention::fill(Rates& length) const {
  const std::size_t E = rows_.size();
  length.lo.assign(heads_ * E, 0);
  length.hi.assign(heads_ * E, 0);
  for (std::size_t h = 0; h < heads_; ++h) {
    std::vector<double> least_after(length.keys + 1, 0), most_after(length.keys + 1, 0);
    std::vector<double> least(length.keys), most(length.keys);
    for (std::size_t j = length.keys; j-- > 0;) {
      const double* lo = lo_.data() + h * E;
      const double* hi = hi_.data() + h * E;
      least[j] = *std::min_element(lo + begin_[j], lo + begin_[j + 1]);
      most[j] = *std::max_element(hi + begin_[j], hi + begin_[j + 1]);
      least_after[j] = std::max(0.0, round_down(least_after[j + 1] + least[j]));
      most_after[j] = round_up(most_after[j + 1] + most[j]);
    }
    double least_before = 0;
    double most_before = 0;
    for (std::size_t j = 0; j < length.keys; ++j) {
      const double low = std::max(0.0, round_down(least_before + least_after[j + 1]));
      const double high = round_up(most_before + most_after[j + 1]);
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        const double D_lo = round_down(low + lo_[h * E + e]);
        const double D_hi = round_up(high + hi_[h * E + e]);
        if (!(D_lo > kSmallest) || !(D_hi < 1 / kSmallest)) {
          return false;
        }
        length.lo[h * E + e] = round_down(1 / D_hi);
        length.hi[h * E + e] = round_up(1 / D_lo);
      }
      least_before = std::max(0.0, round_down(least_before + least[j]));
      most_before = round_up(most_before + most[j]);
    }
    if (!(least_after[0] > kSmallest) || !(most_after[0] < 1 / kSmallest)) {
      return false;
    }
    length.all_lo.push_back(round_down(1 / most_after[0]));
    length.all_hi.push_back(round_up(1 / least_after[0]));
  }
  return true;
}

JointAttention::Values JointAttention::gather(const std::vector<Row>& nu) const {
  Values out;
  out.reserve(heads_ * rows_.size());
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* all = nu[h].data();
    for (const std::uint32_t r : rows_) {
      out.push_back(all[r]);
    }
  }
  return out;
}

JointAttention::Values JointAttention::gather(const std::vector<Ball>& nu) const {
  Values out;
  out.reserve(heads_ * rows_.size());
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* all = nu[h].mid.data();
    for (const std::uint32_t r : rows_) {
      out.push_back(all[r]);
    }
  }
  return out;
}

double JointAttention::at_length(const Rates& length, const Values& nu, const HeadNumbers& at,
                                 std::vector<std::size_t>* chosen) const {
  const std::size_t E = rows_.size();
  std::vector<double> term(begin_[length.keys], 0.0);
  double value = 0;
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* w = mid_.data() + h * E;
    const double* v = nu.data() + h * E;
    const double* lo = length.lo.data() + h * E;
    const double* hi = length.hi.data() + h * E;
    const double L = at.L[h];
    double sum = 0;
    for (std::size_t j = 0; j < length.keys; ++j) {
      const double theta = at.theta[h * slots_ + j] * unit_[h];
      sum += theta;
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        const double t = w[e] * (v[e] - L) - theta;
        term[e] += std::max(lo[e] * t, hi[e] * t);
      }
    }
    value += L + psi(length.all_lo[h], length.all_hi[h], sum);
  }
  for (std::size_t j = 0; j < length.keys; ++j) {
    const auto first = term.begin() + static_cast<std::ptrdiff_t>(begin_[j]);
    const auto top =
        std::max_element(first, term.begin() + static_cast<std::ptrdiff_t>(begin_[j + 1]));
    value += *top;
    if (chosen != nullptr) {
      chosen->push_back(static_cast<std::size_t>(top - first));
    }
  }
  return value;
}

JointAttention::Piece JointAttention::evaluate(const Values& nu, const HeadNumbers& at) const {
  const std::size_t E = rows_.size();
  Piece piece;
  piece.value = -kInf;
  const Rates* length = &lengths_.front();
  for (const Rates& l : lengths_) {
    std::vector<std::size_t> chosen;
    const double value = at_length(l, nu, at, &chosen);
    if (value > piece.value) {
      piece.value = value;
      piece.chosen = std::move(chosen);
      length = &l;
    }
  }
  piece.keys = length->keys;
  piece.chosen.resize(length->keys, 0);
  piece.mass.assign(heads_ * slots_, 0);
  piece.by_L.assign(heads_, 1);
  piece.by_theta.assign(heads_ * slots_, 0);
  for (std::size_t h = 0; h < heads_; ++h) {
    double sum = 0;
    for (std::size_t j = 0; j < length->keys; ++j) {
      sum += at.theta[h * slots_ + j];
    }
    const double r = sum > 0 ? length->all_hi[h] : length->all_lo[h];
    for (std::size_t j = 0; j < length->keys; ++j) {
      const std::size_t e = h * E + begin_[j] + piece.chosen[j];
      const double t = mid_[e] * (nu[e] - at.L[h]) - at.theta[h * slots_ + j] * unit_[h];
      const double s = t > 0 ? length->hi[e] : length->lo[e];
      piece.mass[h * slots_ + j] = s * mid_[e];
      piece.by_L[h] -= s * mid_[e];
      piece.by_theta[h * slots_ + j] = (r - s) * unit_[h];
    }
  }
  return piece;
}

/// Exact coordinate ascent on sum_h (sum_j w nu) / (sum_j w) at one number of keys.
void JointAttention::ascend(Common& common, const Values& nu) const {
  const std::size_t E = rows_.size();
  std::vector<double> mass(heads_), moment(heads_), value;
  for (int sweep = 0; sweep < 6; ++sweep) {
    bool is_better = false;
    for (std::size_t j = 0; j < common.keys; ++j) {
      const std::size_t n = begin_[j + 1] - begin_[j];
      if (n == 1 && !(sweep == 0 && j == 0)) {
        continue;
      }
      value.assign(n, 0);
      for (std::size_t h = 0; h < heads_; ++h) {
        double total = 0;
        double sum = 0;
        for (std::size_t i = 0; i < common.keys; ++i) {
          const std::size_t e = h * E + begin_[i] + common.chosen[i];
          total += i == j ? 0 : mid_[e];
          sum += i == j ? 0 : mid_[e] * nu[e];
        }
        const double* w = mid_.data() + h * E + begin_[j];
        const double* v = nu.data() + h * E + begin_[j];
        for (std::size_t e = 0; e < n; ++e) {
          value[e] += (sum + w[e] * v[e]) / (total + w[e]);
        }
      }
      const auto top = static_cast<std::size_t>(std::max_element(value.begin(), value.end()) -
                                                value.begin());
      if (value[top] > common.value) {
        is_better = true;
        common.value = value[top];
        common.chosen[j] = top;
      }
    }
    if (!is_better) {
      break;
    }
  }
}

JointAttention::Common JointAttention::climb(const Values& nu) const {
  const std::size_t E = rows_.size();
  Common best;
  best.value = -kInf;
  for (const Rates& length : lengths_) {
    Common common;
    common.keys = length.keys;
    common.value = -kInf;
    for (std::size_t j = 0; j < length.keys; ++j) {
      std::size_t top = 0;
      double top_value = -kInf;
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        double value = 0;
        for (std::size_t h = 0; h < heads_; ++h) {
          value += nu[h * E + e] * length.lo[h * E + e] * mid_[h * E + e];
        }
        if (value > top_value) {
          top_value = value;
          top = e - begin_[j];
        }
      }
      common.chosen.push_back(top);
    }
    ascend(common, nu);
    if (common.value > best.value) {
      best = std::move(common);
    }
  }
  best.at.L.assign(heads_, 0);
  best.at.theta.assign(heads_ * slots_, 0);
  for (std::size_t h = 0; h < heads_; ++h) {
    double mass = 0;
    double moment = 0;
    for (std::size_t j = 0; j < best.keys; ++j) {
      const std::size_t e = h * E + begin_[j] + best.chosen[j];
      mass += mid_[e];
      moment += mid_[e] * nu[e];
    }
    best.at.L[h] = moment / mass;
    for (std::size_t j = 0; j < slots_; ++j) {
      // A slot that the best context lacks adds nothing where its best term is 0.
      double term = -kInf;
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        if (j >= best.keys || e == begin_[j] + best.chosen[j]) {
          term = std::max(term, mid_[h * E + e] * (nu[h * E + e] - best.at.L[h]));
        }
      }
      best.at.theta[h * slots_ + j] = term / unit_[h];
    }
  }
  return best;
}

HeadNumbers JointAttention::from_apart(const Values& nu, const std::vector<double>& L) const {
  const std::size_t E = rows_.size();
  HeadNumbers at{L, std::vector<double>(heads_ * slots_)};
  for (std::size_t h = 0; h < heads_; ++h) {
    for (std::size_t j = 0; j < slots_; ++j) {
      double top = -kInf;
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        top = std::max(top, mid_[h * E + e] * (nu[h * E + e] - L[h]));
      }
      at.theta[h * slots_ + j] = top / unit_[h];
    }
  }
  return at;
}

HeadNumbers JointAttention::search(const Values& nu, const std::vector<double>& apart,
                                   const Common& common, std::size_t steps,
                                   int bits) const {
  HeadNumbers start = common.at;
  if (free_ <= 1 && is_one_length()) {
    shorten(nu, bits, start);
    return start;  // exact already
  }
  if (!apart.empty()) {
    HeadNumbers other = from_apart(nu, apart);
    if (evaluate(nu, other).value < evaluate(nu, start).value) {
      start = std::move(other);
    }
  }
  std::vector<double> x = start.L;
  x.insert(x.end(), start.theta.begin(), start.theta.end());
  const auto at = [&](const std::vector<double>& point) {
    return HeadNumbers{{point.begin(), point.begin() + static_cast<std::ptrdiff_t>(heads_)},
                       {point.begin() + static_cast<std::ptrdiff_t>(heads_), point.end()}};
  };
  const auto value = [&](const std::vector<double>& point, std::vector<double>& gradient) {
    const Piece piece = evaluate(nu, at(point));
    gradient = piece.by_L;
    gradient.insert(gradient.end(), piece.by_theta.begin(), piece.by_theta.end());
    return piece.value;
  };
  HeadNumbers best = at(polyak(x, common.value, steps, value, [](std::vector<double>&) {}));
  shorten(nu, bits, best);
  return best;
}

HeadNumbers JointAttention::adopted(HeadNumbers numbers, const JointAttention& from) const {
  if (numbers.theta.empty()) {
    return numbers;
  }
  HeadNumbers out{std::move(numbers.L), {}};
  for (std::size_t h = 0; h < heads_; ++h) {
    for (std::size_t j = 0; j < slots_; ++j) {
      out.theta.push_back(numbers.theta[h * from.slots_ + j] * (from.unit_[h] / unit_[h]));
    }
  }
  return out;
}

void JointAttention::shorten(const Values& nu, int bits, HeadNumbers& at) const {
  double size = 0;
  for (const double v : nu) {
    size = std::max(size, std::fabs(v));
  }
  const double grid = std::exp2(std::ceil(std::log2(std::max(size, 1e-30))) - bits);
  for (std::vector<double>* all : {&at.L, &at.theta}) {
    for (double& x : *all) {
      x = std::nearbyint(x / grid) * grid;
    }
  }
}

/// Each term is computed to the nearest from upper ends; a term's error is at most (heads + 8) 2^-52 of the sizes met.
double JointAttention::proved_at(const Rates& length, const std::vector<Ball>& nu,
                                 const HeadNumbers& at) const {
  const std::size_t E = rows_.size();
  std::vector<double> term(begin_[length.keys], 0.0);
  std::vector<double> size(length.keys, 0.0);  // of the terms of a slot, r included
  double value = 0;
  bool is_small = true;
  for (std::size_t h = 0; h < heads_; ++h) {
    const double* mid = nu[h].mid.data();
    const double* radius = nu[h].radius.data();
    const double* w_lo = lo_.data() + h * E;
    const double* w_hi = hi_.data() + h * E;
    const double* lo = length.lo.data() + h * E;
    const double* hi = length.hi.data() + h * E;
    const double L = at.L[h];
    double sum = 0;
    double widest = 0;
    double largest = std::fabs(L);
    double masses = 0;   // at least the sum of r w over the slots
    double thetas = 0;   // r theta, summed
    double largest_theta = 0;
    is_small = is_small && std::fabs(L) < LargestTerm::kLargest;
    for (std::size_t j = 0; j < length.keys; ++j) {
      const double theta = at.theta[h * slots_ + j] * unit_[h];
      sum = round_up(sum + theta);
      largest_theta = std::max(largest_theta, std::fabs(theta));
      double top = 0;
      double r = 0;
      double mass = 0;
      for (std::size_t e = begin_[j]; e < begin_[j + 1]; ++e) {
        const double m = mid[rows_[e]];
        const double room = kRoomOfValues * radius[rows_[e]];
        const double d = (m + room) - L;
        const double above = d + 0x1p-50 * (std::fabs(m) + room + std::fabs(L));
        const double up = std::max(w_lo[e] * above, w_hi[e] * above);
        const double t = up - theta;
        term[e] += std::max(lo[e] * t, hi[e] * t);
        top = std::max(top, std::fabs(up));
        is_small = is_small && std::fabs(up) < LargestTerm::kLargest;
        r = std::max(r, hi[e]);
        mass = std::max(mass, hi[e] * w_hi[e]);
        widest = std::max(widest, room);
        largest = std::max(largest, std::fabs(m));
      }
      masses += mass;
      thetas += (r + length.all_hi[h]) * std::fabs(theta);
      size[j] += r * (top + std::fabs(theta));
    }
    is_small = is_small && largest_theta < LargestTerm::kLargest;
    const double whole = std::max(round_up(length.all_lo[h] * sum), round_up(length.all_hi[h] * sum));
    value = round_up(round_up(value + L) + whole);
    // A checker may know nu and the unit of theta a little otherwise.
    const double room =
        2 * number_room(largest, widest, unevenness_) * masses + kRoomOfUnit * thetas;
    value = round_up(value + round_up(room));
  }
  const double relative = static_cast<double>(heads_ + 8) * 0x1p-51;
  for (std::size_t j = 0; j < length.keys; ++j) {
    const double top = *std::max_element(term.begin() + static_cast<std::ptrdiff_t>(begin_[j]),
                                         term.begin() + static_cast<std::ptrdiff_t>(begin_[j + 1]));
    value = round_up(value + round_up(top + round_up(relative * size[j]) + 1e-300));
  }
  return is_small && std::isfinite(value) ? value : kInf;
}

double JointAttention::proved(const std::vector<Ball>& nu, const HeadNumbers& at) const {
  double worst = -kInf;
  for (const Rates& length : lengths_) {
    worst = std::max(worst, proved_at(length, nu, at));
  }
  return worst;
}

}  // namespace assay::bounds
