#include "assay/automata/binomial.hpp"

#include <catch.hpp>
#include <cmath>
#include <vector>

#include "assay/base/random.hpp"

using namespace assay;
using automata::clopper_pearson;

namespace {

/// P(X = k), X ~ Binomial(n, p), for small n.
double mass(int n, int k, double p) {
  double c = 1;
  for (int i = 1; i <= k; ++i) {
    c = c * (n - k + i) / i;
  }
  return c * std::pow(p, k) * std::pow(1 - p, n - k);
}

}  // namespace

TEST_CASE("exact coverage is at least 1 - alpha at every rate") {
  for (const Rational alpha : {Rational{1, 100}, Rational{1, 20}, Rational{1, 3}}) {
    for (const int n : {1, 2, 7, 30, 55}) {
      std::vector<automata::Proportion> intervals;
      for (int k = 0; k <= n; ++k) {
        intervals.push_back(
            clopper_pearson(static_cast<std::uint64_t>(k), static_cast<std::uint64_t>(n), alpha));
      }
      double least = 1;
      for (int step = 1; step < 400; ++step) {
        const double p = step / 400.0;
        double covered = 0;
        for (int k = 0; k <= n; ++k) {
          const automata::Proportion& i = intervals[static_cast<std::size_t>(k)];
          covered += i.lo <= p * 1e6 && p * 1e6 <= i.hi ? mass(n, k, p) : 0;
        }
        least = std::min(least, covered);
      }
      CHECK(least >= 1 - alpha.nearest() - 1e-9);
    }
  }
}

TEST_CASE("simulated binomials leave the interval no more often than alpha") {
  Random random(12);
  for (const double p : {0.001, 0.02, 0.3, 0.9}) {
    int missed = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      std::uint64_t k = 0;
      for (int i = 0; i < 300; ++i) {
        k += random.unit() < p ? 1 : 0;
      }
      const automata::Proportion i = clopper_pearson(k, 300, {1, 20});
      missed += p * 1e6 < i.lo || p * 1e6 > i.hi ? 1 : 0;
    }
    CHECK(missed <= 100 + 30);  // 2000 / 20, 3 standard deviations
  }
}
