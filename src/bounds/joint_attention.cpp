#include "joint_attention.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "weighted_sum.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kMostEntries =
    1 << 15;  // entries by heads by lengths: above it the search costs more than splits
constexpr double kSmallest = 1e-150;     // of weight sums
constexpr double kRoomOfUnit = 0x1p-36;  // both sides take the nearest largest weight
constexpr double kRoomOfValues = 32;     // a checker may know nu several times more widely

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

/// What the heads add up to, upper ends.
struct JointAttention::Sums {
  std::vector<double> term;  ///< [entries]
  std::vector<double> size;  ///< of the terms of a slot, r included
  double value = 0;
  bool is_small = true;
};

void JointAttention::add_head(std::size_t h, const Rates& length, const Ball& nu,
                              const HeadNumbers& at, Sums& sums) const {
  const std::size_t E = rows_.size();
  const double* mid = nu.mid.data();
  const double* radius = nu.radius.data();
  const double* w_lo = lo_.data() + h * E;
  const double* w_hi = hi_.data() + h * E;
  const double* lo = length.lo.data() + h * E;
  const double* hi = length.hi.data() + h * E;
  const double L = at.L[h];
  double sum = 0;
  double widest = 0;
  double largest = std::fabs(L);
  double masses = 0;  // at least the sum of r w over the slots
  double thetas = 0;  // r theta, summed
  double largest_theta = 0;
  sums.is_small = sums.is_small && std::fabs(L) < LargestTerm::kLargest;
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
      sums.term[e] += std::max(lo[e] * t, hi[e] * t);
      top = std::max(top, std::fabs(up));
      sums.is_small = sums.is_small && std::fabs(up) < LargestTerm::kLargest;
      r = std::max(r, hi[e]);
      mass = std::max(mass, hi[e] * w_hi[e]);
      widest = std::max(widest, room);
      largest = std::max(largest, std::fabs(m));
    }
    masses += mass;
    thetas += (r + length.all_hi[h]) * std::fabs(theta);
    sums.size[j] += r * (top + std::fabs(theta));
  }
  sums.is_small = sums.is_small && largest_theta < LargestTerm::kLargest;
  const double whole = std::max(round_up(length.all_lo[h] * sum), round_up(length.all_hi[h] * sum));
  sums.value = round_up(round_up(sums.value + L) + whole);
  // A checker may know nu and the unit of theta a little otherwise.
  const double room = 2 * number_room(largest, widest, unevenness_) * masses + kRoomOfUnit * thetas;
  sums.value = round_up(sums.value + round_up(room));
}

/// Each term is computed to the nearest from upper ends; a term's error is at most (heads + 8) 2^-52 of the sizes met.
double JointAttention::proved_at(const Rates& length, const std::vector<Ball>& nu,
                                 const HeadNumbers& at) const {
  Sums sums{std::vector<double>(begin_[length.keys], 0.0), std::vector<double>(length.keys, 0.0)};
  for (std::size_t h = 0; h < heads_; ++h) {
    add_head(h, length, nu[h], at, sums);
  }
  const double relative = static_cast<double>(heads_ + 8) * 0x1p-51;
  for (std::size_t j = 0; j < length.keys; ++j) {
    const double top =
        *std::max_element(sums.term.begin() + static_cast<std::ptrdiff_t>(begin_[j]),
                          sums.term.begin() + static_cast<std::ptrdiff_t>(begin_[j + 1]));
    sums.value = round_up(sums.value + round_up(top + round_up(relative * sums.size[j]) + 1e-300));
  }
  return sums.is_small && std::isfinite(sums.value) ? sums.value : kInf;
}

double JointAttention::proved(const std::vector<Ball>& nu, const HeadNumbers& at) const {
  double worst = -kInf;
  for (const Rates& length : lengths_) {
    worst = std::max(worst, proved_at(length, nu, at));
  }
  return worst;
}

}  // namespace assay::bounds
