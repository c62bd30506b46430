#include "max_of_k_truth.hpp"

#include <algorithm>

#include "assay/base/random.hpp"

namespace assay::bench {

using namespace bounds;

namespace {

/// l_r of one query, times the sum of its weights, of the tokens placed so far.
using Sums = Eigen::RowVectorXd;

Sums term(const Tables& t, std::size_t q, std::size_t p, std::size_t u) {
  return t.a(index(q), index(p)) * t.b(index(q), index(u)) *
         (t.V.row(index(u)) + t.P.row(index(p)) + t.D.row(index(q)));
}

/// Both logits of a difference are sums with the room of a difference.
bool is_right(const Sums& sums, std::size_t m, double room) {
  double rival = -INFINITY;
  for (Eigen::Index r = 0; r < sums.size(); ++r) {
    rival = std::max(rival, r == index(m) ? -INFINITY : sums[r]);
  }
  return rival - sums[index(m)] < -2 * room;
}

class Enumeration {
 public:
  explicit Enumeration(const Tables& t) : t_(t) {}

  Certified run() {
    for (q_ = 0; q_ < t_.v; ++q_) {
      terms_.clear();
      for (std::size_t p = 0; p + 1 < t_.K; ++p) {
        for (std::size_t u = 0; u < t_.v; ++u) {
          terms_.push_back(term(t_, q_, p, u));
        }
      }
      reach_ = t_.b.row(index(q_));
      for (std::size_t u = 1; u < t_.v; ++u) {
        reach_[index(u)] = std::max(reach_[index(u)], reach_[index(u - 1)]);
      }
      partial_.assign(t_.K, term(t_, q_, t_.K - 1, q_));
      place(0, q_);
    }
    return out_;
  }

 private:
  void place(std::size_t p, std::size_t m) {
    for (std::size_t u = 0; u < t_.v; ++u) {
      partial_[p + 1].noalias() = partial_[p] + terms_[p * t_.v + u];
      out_.cost.multiply_adds += t_.v;
      const std::size_t largest = std::max(m, u);
      if (p + 2 < t_.K) {
        place(p + 1, largest);
        continue;
      }
      ++out_.all;
      out_.certified +=
          is_right(partial_[p + 1], largest, t_.room * reach_[index(largest)]) ? 1U : 0U;
      out_.cost.comparisons += t_.v;
    }
  }

  const Tables& t_;
  std::size_t q_ = 0;
  Sums reach_;  ///< the largest b(q,u), u <= m
  std::vector<Sums> terms_, partial_;
  Certified out_;
};

}  // namespace

Certified enumerate(const Tables& tables) {
  return Enumeration(tables).run();
}

double sample(const Tables& t, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t q = random.below(t.v);
    std::size_t m = q;
    Sums sums = term(t, q, t.K - 1, q);
    for (std::size_t p = 0; p + 1 < t.K; ++p) {
      const std::size_t u = random.below(t.v);
      m = std::max(m, u);
      sums += term(t, q, p, u);
    }
    right += is_right(sums, m, 0) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

}  // namespace assay::bench
