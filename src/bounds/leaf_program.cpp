#include "leaf_program.hpp"

#include <algorithm>
#include <cmath>

namespace assay::bounds {
namespace {

using Terms = std::vector<std::pair<std::size_t, double>>;

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

}  // namespace

bool LeafProgram::applies(CaseWork& work) {
  return work.net().act == ActFn::relu && !work.net().norm &&
         (work.exact() != nullptr || (work.joint() != nullptr && work.joint()->is_one_length()));
}

LeafProgram::LeafProgram(CaseWork& work, const FoldTarget& target,
                         const std::vector<NeuronPart>& parts, const std::vector<Interval>& ranges)
    : work_(work),
      net_(work.net()),
      parts_(parts),
      ranges_(ranges),
      kappa_(index(net_.f)),
      g0_(index(net_.d)),
      slopes_(net_.f, 0.0) {
  for (std::size_t i = 0; i < net_.d; ++i) {
    g0_(index(i)) = middle(target.g0[i]);
  }
  for (std::size_t j = 0; j < net_.f; ++j) {
    kappa_(index(j)) = middle(target.kappa[j]);
  }
  add_neurons();
  if (work_.exact() != nullptr) {
    add_contexts();
  } else {
    add_heads();
  }
}

std::size_t LeafProgram::variable(double cost) {
  problem_.cost.push_back(cost);
  return problem_.cost.size() - 1;
}

void LeafProgram::at_least(Terms terms, double least) {
  problem_.rows.push_back({std::move(terms), least});
}

void LeafProgram::add_neurons() {
  for (std::size_t j = 0; j < net_.f; ++j) {
    const double k = kappa_(index(j));
    const Interval r = ranges_[j];
    if (!(r.lo < 0 && r.hi > 0) || k >= 0) {
      slopes_[j] = k == 0 || r.hi <= 0 ? 0.0 : r.lo >= 0 ? 1.0 : r.hi / (r.hi - r.lo);
      continue;
    }
    const std::size_t a = variable(0);
    const std::size_t rest = variable(1);
    free_.emplace_back(j, a);
    at_least({{a, 1.0}}, 0);
    at_least({{a, -1.0}}, -1);
    at_least({{rest, 1.0}}, 0);                              // at 0
    at_least({{rest, 1.0}, {a, k * r.lo}}, 0);               // r >= kappa (0 - a lo)
    at_least({{rest, 1.0}, {a, k * r.hi}}, k * r.hi);        // r >= kappa (hi - a hi)
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    mu_.push_back(variable(0));
    at_least({{mu_.back(), 1.0}}, 0);
  }
}

template <class Value>
double LeafProgram::spread_over(const Value& value, double factor, Terms& terms) const {
  double fixed = 0;
  for (std::size_t j = 0; j < net_.f; ++j) {
    fixed += kappa_(index(j)) * slopes_[j] * value(j);
  }
  for (const auto& [j, a] : free_) {
    terms.emplace_back(a, factor * kappa_(index(j)) * value(j));
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    terms.emplace_back(mu_[p], factor * parts_[p].sign * value(parts_[p].neuron));
  }
  return fixed;
}

/// t >= <g0, m> + sum_j c_j z_j for every context
void LeafProgram::add_contexts() {
  const ExactCase& all = *work_.exact();
  const std::size_t t = variable(1);
  for (Eigen::Index r = 0; r < all.mids.rows(); ++r) {
    Terms terms{{t, 1.0}};
    const auto z = [&](std::size_t j) {
      return all.neurons(r, index(j)) + net_.neuron_offsets.mid(0, index(j));
    };
    const double fixed = spread_over(z, -1.0, terms);
    at_least(std::move(terms), fixed + all.mids.row(r).dot(g0_));
  }
}

/// ATTN-JOINT with the folded direction's nu, affine in the slopes.
void LeafProgram::add_heads() {
  const JointAttention& joint = *work_.joint();
  const JointAttention::Rates& rates = joint.rates();
  const std::size_t H = net_.heads;
  const std::size_t M = joint.most_keys();
  for (std::size_t h = 0; h < H; ++h) {
    L_.push_back(variable(1));
    const std::size_t q = variable(1);  // psi of the sum of theta
    Terms low{{q, 1.0}};
    Terms high{{q, 1.0}};
    for (std::size_t j = 0; j < M; ++j) {
      theta_.push_back(variable(0));
      low.emplace_back(theta_.back(), -rates.all_lo[h] * joint.unit(h));
      high.emplace_back(theta_.back(), -rates.all_hi[h] * joint.unit(h));
    }
    at_least(std::move(low), 0);
    at_least(std::move(high), 0);
  }
  // The base <G, x + b_O> and the offsets are the same in every context: they enter the cost of the slopes.
  Row base(index(net_.d));
  for (std::size_t i = 0; i < net_.d; ++i) {
    base(index(i)) = middle(work_.ready().query().base[i]);
  }
  const Row along = base * net_.neuron_directions.mid + Row(net_.neuron_offsets.mid.row(0));
  for (const auto& [j, a] : free_) {
    problem_.cost[a] += kappa_(index(j)) * along(index(j));
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    problem_.cost[mu_[p]] += parts_[p].sign * along(index(parts_[p].neuron));
  }
  std::vector<Row> nu_g0;
  std::vector<Rows> nu;
  for (std::size_t h = 0; h < H; ++h) {
    const Rows& values = work_.ready().places().values(h).mid;
    nu_g0.push_back((values * (net_.W_O[h].mid * g0_.transpose())).transpose());
    nu.push_back(values * net_.to_neurons[h].mid);
  }
  for (std::size_t j = 0; j < M; ++j) {
    const std::size_t y = variable(1);  // the slot's largest term
    for (std::size_t e = joint.begin(j); e < joint.begin(j + 1); ++e) {
      Terms together{{y, 1.0}};
      for (std::size_t h = 0; h < H; ++h) {
        const std::size_t s = variable(0);  // psi of this head's term
        together.emplace_back(s, -1.0);
        const double w = joint.weight(h, e);
        const std::uint32_t row = joint.row(e);
        const auto value = [&](std::size_t n) { return nu[h](row, index(n)); };
        for (const double r : {rates.lo[h * joint.entries() + e], rates.hi[h * joint.entries() + e]}) {
          // s >= r (w (nu - L) - theta)
          Terms terms{{s, 1.0}, {L_[h], r * w}, {theta_[h * M + j], r * joint.unit(h)}};
          const double fixed = spread_over(value, -r * w, terms);
          at_least(std::move(terms), r * w * (nu_g0[h](row) + fixed));
        }
      }
      at_least(std::move(together), 0);
    }
  }
}

SlopeSearch::Found LeafProgram::read(const std::vector<double>& x) const {
  SlopeSearch::Found found{slopes_, {}, std::nullopt};
  for (const auto& [j, a] : free_) {
    found.slopes[j] = std::clamp(x[a], 0.0, 1.0);
  }
  for (const std::size_t v : mu_) {
    found.mu.push_back(std::max(x[v], 0.0));
  }
  if (!L_.empty()) {
    found.heads.emplace();
    for (const std::size_t v : L_) {
      found.heads->L.push_back(x[v]);
    }
    for (const std::size_t v : theta_) {
      found.heads->theta.push_back(x[v]);
    }
  }
  return found;
}

}  // namespace assay::bounds
