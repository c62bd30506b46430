#include "slope_search.hpp"

#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "polyak.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kSamples = 17;
constexpr std::size_t kExactSteps =
    32;  // where an evaluation costs little and the least value is nearly known

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

double on_slope_grid(double a) {
  return std::nearbyint(a * 0x1p16) * 0x1p-16;
}

}  // namespace

SlopeSearch::SlopeSearch(CaseWork& work, const FoldTarget& target,
                         const std::vector<NeuronPart>& parts, const std::vector<Interval>& ranges)
    : work_(work),
      net_(work.net()),
      parts_(parts),
      ranges_(ranges),
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
    kappa_(index(j)) = middle(target.kappa[j]);
    sample(j, kappa_(index(j)));
  }
  slopes_ = start();
  mu_unit_ = std::max(kappa_.cwiseAbs().maxCoeff(), 1e-30);
  mu_.assign(parts_.size(), 0);
}

void SlopeSearch::sample(std::size_t j, double kappa) {
  const Interval r = ranges_[j];
  const bool is_relu = net_.act == ActFn::relu;
  if (kappa == 0 || !(is_relu ? r.lo < 0 && r.hi > 0 : r.lo < r.hi)) {
    return;
  }
  if (!is_relu) {
    for (std::size_t s = 0; s < kSamples; ++s) {
      const double z = r.lo + (r.hi - r.lo) * static_cast<double>(s) / (kSamples - 1);
      samples_[j].emplace_back(z, nearest_activation(net_.act, z));
    }
  } else {
    samples_[j] = {{r.lo, 0.0}, {0.0, 0.0}, {r.hi, r.hi}};
  }
  if (!is_relu || kappa < 0) {
    open_.push_back(j);  // with kappa > 0 the chord is the best for every context
  }
}

std::vector<double> SlopeSearch::start() const {
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

std::pair<double, double> SlopeSearch::extremal(std::size_t j, double a) const {
  const double k = kappa_(index(j));
  std::pair<double, double> best{0, 0};
  double top = -kInf;
  for (const auto& [z, value] : samples_[j]) {
    const double rest = value - a * z;
    if (k * rest > top) {
      top = k * rest;
      best = {z, rest};
    }
  }
  return best;
}

void SlopeSearch::unpack(const std::vector<double>& x) {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    slopes_[open_[i]] = x[i];
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    mu_[p] = x[open_.size() + p] * mu_unit_;
  }
  coefficient_ = kappa_.cwiseProduct(Eigen::Map<const Row>(slopes_.data(), index(net_.f)));
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    coefficient_(index(parts_[p].neuron)) += mu_[p] * parts_[p].sign;
  }
}

double SlopeSearch::residuals() const {
  double sum = coefficient_.dot(Row(net_.neuron_offsets.mid.row(0)));
  for (std::size_t j = 0; j < net_.f; ++j) {
    if (!samples_[j].empty()) {
      sum += kappa_(index(j)) * extremal(j, slopes_[j]).second;
    }
  }
  return sum;
}

/// d bound / d a_j = kappa_j (z_j at the maximiser - z where the residual is extremal); by mu: s_J z_J there.
void SlopeSearch::fill_gradient(const Row& z, std::vector<double>& gradient) const {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const std::size_t j = open_[i];
    gradient[i] = kappa_(index(j)) * (z(index(j)) - extremal(j, slopes_[j]).first);
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    gradient[open_.size() + p] = mu_unit_ * parts_[p].sign * z(index(parts_[p].neuron));
  }
}

/// One free position: the heads' context is one row of a list.
double SlopeSearch::over_contexts(std::vector<double>& gradient) {
  const ExactCase& all = *work_.exact();
  const Row folded = (all.neurons * coefficient_.transpose()).transpose();
  double worst = -kInf;
  Row z;
  for (const double s : ends_) {
    Eigen::Index at = 0;
    const double value = (along_g0_ + s * folded).maxCoeff(&at);
    if (value > worst) {
      worst = value;
      z = s * all.neurons.row(at) + Row(net_.neuron_offsets.mid.row(0));
    }
  }
  fill_gradient(z, gradient);
  return worst;
}

double SlopeSearch::over_heads(const std::vector<double>& x, std::vector<double>& gradient) {
  const Row h = (net_.neuron_directions.mid * coefficient_.transpose()).transpose();
  const std::size_t at = open_.size() + parts_.size();
  const JointAttention* joint = work_.joint();
  double worst = -kInf;
  for (const double s : ends_) {
    const Row G = g0_ + s * h;
    double value = G.dot(base_);
    Row mid = base_;
    std::vector<Row> nu;
    for (std::size_t head = 0; head < net_.heads; ++head) {
      const Row gO = (net_.W_O[head].mid * G.transpose()).transpose();
      nu.push_back((work_.ready().places().values(head).mid * gO.transpose()).transpose());
    }
    std::vector<double> by_heads;
    if (is_joint_) {
      const std::size_t H = net_.heads;
      HeadNumbers numbers{std::vector<double>(H), std::vector<double>(x.size() - at - H)};
      for (std::size_t i = at; i < x.size(); ++i) {
        (i - at < H ? numbers.L[i - at] : numbers.theta[i - at - H]) = x[i] * unit_;
      }
      const JointAttention::Piece piece = joint->evaluate(joint->gather(nu), numbers);
      value += piece.value;
      for (std::size_t head = 0; head < H; ++head) {
        Row sum = Row::Zero(work_.ready().places().values(head).mid.cols());
        for (std::size_t j = 0; j < piece.keys; ++j) {
          sum += piece.mass[head * joint->most_keys() + j] *
                 work_.ready().places().values(head).mid.row(
                     joint->row(joint->begin(j) + piece.chosen[j]));
        }
        mid += sum * net_.W_O[head].mid;
      }
      by_heads = piece.by_L;
      by_heads.insert(by_heads.end(), piece.by_theta.begin(), piece.by_theta.end());
      heads_gap_ = piece.value - joint->climb(joint->gather(nu)).value;
    } else {
      for (std::size_t head = 0; head < net_.heads; ++head) {
        const CaseMaximum top = work_.ready().ascend(head, nu[head].data(), true);
        value += top.L;
        mid += head_mean(work_.ready(), head, top.back) * net_.W_O[head].mid;
      }
    }
    if (value > worst) {
      worst = value;
      fill_gradient(s * (mid * net_.neuron_directions.mid) + Row(net_.neuron_offsets.mid.row(0)),
                    gradient);
      for (std::size_t i = 0; i < by_heads.size(); ++i) {
        gradient[at + i] = by_heads[i] * unit_;
      }
    }
  }
  return worst;
}

double SlopeSearch::evaluate(const std::vector<double>& x, std::vector<double>& gradient) {
  unpack(x);
  gradient.assign(x.size(), 0);
  const double rest = residuals();
  return rest + (work_.exact() != nullptr ? over_contexts(gradient) : over_heads(x, gradient));
}

void SlopeSearch::project(std::vector<double>& x) const {
  const bool is_relu = net_.act == ActFn::relu;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    x[i] = std::clamp(x[i], is_relu ? 0.0 : -0.25, is_relu ? 1.0 : 1.25);
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    x[open_.size() + p] = std::max(x[open_.size() + p], 0.0);
  }
}

/// A value at or below the least bound: the target itself in one context or in every one (without const0).
double SlopeSearch::attained() {
  const auto value = [&](double linear, const Row& y, double s) {
    double sum = linear;
    for (std::size_t j = 0; j < net_.f; ++j) {
      const double k = kappa_(index(j));
      sum += k == 0 ? 0
                    : k * nearest_activation(
                              net_.act, s * y(index(j)) + net_.neuron_offsets.mid(0, index(j)));
    }
    return sum;
  };
  double best = -kInf;
  if (const ExactCase* all = work_.exact()) {
    const double s = ends_.front();
    for (Eigen::Index r = 0; r < all->neurons.rows(); ++r) {
      const bool is_outside = std::any_of(parts_.begin(), parts_.end(), [&](const NeuronPart& p) {
        return p.sign * (s * all->neurons(r, index(p.neuron)) +
                         net_.neuron_offsets.mid(0, index(p.neuron))) <
               0;
      });
      if (is_outside) {
        continue;
      }
      best = std::max(best, value(along_g0_(r), all->neurons.row(r), s));
    }
  }
  return best;
}

std::vector<double> SlopeSearch::minimise(std::vector<double> x, std::size_t steps) {
  std::vector<double> best = x;
  double best_value = kInf;
  std::vector<double> gradient;
  const std::size_t at = open_.size() + parts_.size();
  for (std::size_t step = 0; step <= steps; ++step) {
    const double value = evaluate(x, gradient);
    if (value < best_value) {
      best_value = value;
      best = x;
    }
    // Slopes by the range that they turn; the heads by Polyak's step towards their best common context.
    const double rate = 1.0 / std::sqrt(1.0 + static_cast<double>(step));
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const std::size_t j = open_[i];
      const double width = (ranges_[j].hi - ranges_[j].lo) * std::fabs(kappa_(index(j)));
      x[i] -= rate * gradient[i] / width;
    }
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const std::size_t i = open_.size() + p;
      const Interval r = ranges_[parts_[p].neuron];
      x[i] -= rate * gradient[i] / (mu_unit_ * std::max(r.hi - r.lo, 1e-12)) * 0.5;
    }
    double square = 0;
    for (std::size_t i = at; i < x.size(); ++i) {
      square += gradient[i] * gradient[i];
    }
    for (std::size_t i = at; i < x.size() && square > 0; ++i) {
      x[i] -= 0.5 * heads_gap_ / square * gradient[i];
    }
    project(x);
  }
  return best;
}

SlopeSearch::Found SlopeSearch::descend(std::size_t steps) {
  std::vector<double> x;
  for (const std::size_t j : open_) {
    x.push_back(slopes_[j]);
  }
  x.resize(x.size() + parts_.size(), 0.0);
  const std::size_t at = x.size();
  unpack(x);
  if (const ExactCase* all = work_.exact()) {
    along_g0_ = (all->mids * g0_.transpose()).transpose();
  } else if (const JointAttention* joint = work_.joint(); joint != nullptr) {
    // Start from the heads' best numbers at the first slopes.
    const Row G =
        g0_ + ends_.back() * (net_.neuron_directions.mid * coefficient_.transpose()).transpose();
    std::vector<Row> nu;
    std::vector<double> L;
    for (std::size_t head = 0; head < net_.heads; ++head) {
      const Row gO = (net_.W_O[head].mid * G.transpose()).transpose();
      nu.push_back((work_.ready().places().values(head).mid * gO.transpose()).transpose());
      L.push_back(work_.ready().ascend(head, nu.back().data(), false).L);
    }
    const JointAttention::Values values = joint->gather(nu);
    const HeadNumbers numbers = joint->search(values, L, joint->climb(values), 16, 30);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    unit_ = std::max(*high - *low, 1e-12) / 4;
    for (const std::vector<double>* some : {&numbers.L, &numbers.theta}) {
      for (const double v : *some) {
        x.push_back(v / unit_);
      }
    }
    is_joint_ = true;
  }
  if (open_.empty() && parts_.empty()) {
    steps = 0;
  }
  x = minimise(std::move(x), steps);
  if (work_.exact() != nullptr) {
    x = polyak(
        std::move(x), attained(), kExactSteps * std::min<std::size_t>(steps, 1),
        [&](const std::vector<double>& point, std::vector<double>& gradient) {
          return evaluate(point, gradient);
        },
        [&](std::vector<double>& point) { project(point); });
  }
  for (std::size_t i = 0; i < at; ++i) {
    x[i] = on_slope_grid(x[i]);
  }
  unpack(x);
  Found found{slopes_, mu_, std::nullopt};
  if (is_joint_ && !net_.norm) {
    found.heads.emplace();
    for (std::size_t i = at; i < x.size(); ++i) {
      (i - at < net_.heads ? found.heads->L : found.heads->theta).push_back(x[i] * unit_);
    }
  }
  return found;
}

}  // namespace assay::bounds
