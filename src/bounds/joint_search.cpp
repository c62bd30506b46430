#include <algorithm>
#include <cmath>

#include "joint_attention.hpp"
#include "polyak.hpp"

// Where ATTN-JOINT's numbers come from. Nothing here is rounded outward: `proved` alone decides what they prove.
namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

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
      const auto top =
          static_cast<std::size_t>(std::max_element(value.begin(), value.end()) - value.begin());
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
                                   const Common& common, std::size_t steps, int bits) const {
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

}  // namespace assay::bounds
