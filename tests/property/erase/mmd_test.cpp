#include <algorithm>
#include <cmath>

#include "../../unit/erase/synthetic.hpp"
#include "assay/erase/population.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

/// A law of (y, z) on a few atoms, whose kernel covariance is a finite sum.
struct Atoms {
  std::size_t d = 0;
  std::vector<std::vector<double>> y;
  std::vector<double> weight, label;  ///< P of the atom, P(z = 1) on it

  [[nodiscard]] double kernel(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
      sum += (y[a][j] - y[b][j]) * (y[a][j] - y[b][j]);
    }
    return std::exp(-sum / static_cast<double>(d));
  }
  [[nodiscard]] std::size_t draw(Random& random) const {
    double at = random.unit();
    std::size_t k = 0;
    while (k + 1 < weight.size() && at >= weight[k]) {
      at -= weight[k++];
    }
    return k;
  }
  /// |Cov(k(y, .), z)| = √(Σ Σ w_a w_b (z_a - p)(z_b - p) k(a, b))
  [[nodiscard]] double truth() const {
    double p = 0, sum = 0;
    for (std::size_t a = 0; a < y.size(); ++a) {
      p += weight[a] * label[a];
    }
    for (std::size_t a = 0; a < y.size(); ++a) {
      for (std::size_t b = 0; b < y.size(); ++b) {
        sum += weight[a] * weight[b] * (label[a] - p) * (label[b] - p) * kernel(a, b);
      }
    }
    return std::sqrt(std::max(sum, 0.0));
  }
};

Atoms atoms(Random& random) {
  Atoms out;
  out.d = 1 + random.below(6);
  const std::size_t count = 2 + random.below(8);
  const double signal = random.below(3) == 0 ? 0.0 : random.unit();
  const double base = random.below(2) == 0 ? 0.5 : 0.05 + 0.2 * random.unit();
  double total = 0;
  for (std::size_t a = 0; a < count; ++a) {
    out.y.emplace_back();
    for (std::size_t j = 0; j < out.d; ++j) {
      out.y.back().push_back(gauss(random));
    }
    out.weight.push_back(0.05 + random.unit());
    out.label.push_back(base + signal * ((random.below(2) == 0 ? 1.0 : 0.0) - base));
    total += out.weight.back();
  }
  for (double& w : out.weight) {
    w /= total;
  }
  return out;
}

KernelFigures draw_figures(const Atoms& law, std::size_t quadruples, Random& random) {
  KernelFigures out;
  out.quadruples = quadruples;
  for (std::size_t q = 0; q < quadruples; ++q) {
    std::size_t at[4];
    double z[4];
    for (std::size_t i = 0; i < 4; ++i) {
      at[i] = law.draw(random);
      z[i] = random.unit() < law.label[at[i]] ? 1 : 0;
    }
    const double x = (z[0] - z[1]) * (z[2] - z[3]) / 4 *
                     (law.kernel(at[0], at[2]) - law.kernel(at[0], at[3]) -
                      law.kernel(at[1], at[2]) + law.kernel(at[1], at[3]));
    out.mean += x / static_cast<double>(quadruples);
    out.mean_square += x * x / static_cast<double>(quadruples);
  }
  return out;
}

}  // namespace

TEST_CASE(
    "mmd: over populations whose discrepancy is known the bounds fail no more than alpha says") {
  constexpr std::size_t kPopulations = 400;
  std::size_t above = 0, below = 0, shown = 0, by_estimate = 0;
  double closest = 0;
  for (std::uint64_t seed = 1; seed <= kPopulations; ++seed) {
    Random random(seed * 7919);
    const Atoms law = atoms(random);
    const double truth = law.truth();
    const KernelFigures f = draw_figures(law, 100U << random.below(5), random);
    const double hi = kernel_bound(f, 0.05), lo = kernel_leakage(f, 0.05);
    above += truth > hi ? 1 : 0;
    below += truth < lo ? 1 : 0;
    shown += lo > 0 ? 1 : 0;
    by_estimate += truth > std::sqrt(std::max(f.mean, 0.0)) ? 1 : 0;
    closest = std::max(closest, truth / hi);
    REQUIRE(kernel_bound(f, 0.001) > hi);
  }
  INFO(above << " " << below << " " << shown << " " << closest);
  CHECK(above <= 35);  // of 400 at 0.05: 20, and three deviations
  CHECK(below <= 35);
  CHECK(shown > 40);                      // it shows something
  CHECK(closest > 0.7);                   // and is not far off
  CHECK(by_estimate > kPopulations / 4);  // what a bound that is none would do
}

TEST_CASE(
    "mmd: figures are those of the definition on the drawn rows, documents and outliers too") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Random random(seed);
    GridRows rows;
    rows.d = 2 + seed;
    std::vector<std::int64_t> document;
    for (std::size_t i = 0; i < 900; ++i) {
      rows.z.push_back(random.unit() < 0.4 ? 1 : 0);
      for (std::size_t j = 0; j < rows.d; ++j) {
        const double size = j == 1 ? 60.0 : 900.0;
        rows.y.push_back(static_cast<std::int32_t>(
            std::lround(size * (2 * random.unit() - 1) + (rows.z.back() != 0 ? 200 : 0))));
      }
      document.push_back(static_cast<std::int64_t>(seed == 1 ? i : i / (1 + i % 4)));
    }
    const Population population(rows, seed == 1 ? std::vector<std::int64_t>{} : document);
    REQUIRE(population.beyond() == 0);
    const std::vector<std::size_t> drawn = population.drawn_rows();
    const auto kernel = [&](std::size_t a, std::size_t b) {
      double sum = 0;
      for (std::size_t j = 0; j < rows.d; ++j) {
        const double off =
            std::ldexp(static_cast<double>(rows.y[a * rows.d + j] - rows.y[b * rows.d + j]),
                       -population.scales()[j]);
        sum += off * off;
      }
      return std::exp(-sum / static_cast<double>(rows.d));
    };
    const KernelFigures f = population.kernel_figures(0);
    const std::size_t first = population.scale_units();
    REQUIRE(f.quadruples == (population.units() - first) / 4);
    double mean = 0;
    for (std::size_t q = 0; q < f.quadruples; ++q) {
      double x = 0;
      for (std::size_t a = 0; a < 2; ++a) {
        for (std::size_t b = 2; b < 4; ++b) {
          const std::size_t s = drawn[first + 4 * q + a], t = drawn[first + 4 * q + b];
          x += (a + b == 3 ? -1 : 1) * kernel(s, t);  // (0,3) and (1,2)
        }
      }
      const auto z = [&](std::size_t i) {
        return static_cast<double>(rows.z[drawn[first + 4 * q + i]]);
      };
      mean += x * (z(0) - z(1)) * (z(2) - z(3)) / 4 / static_cast<double>(f.quadruples);
    }
    REQUIRE(f.mean == Approx(mean).margin(1e-15));
    REQUIRE(f.mean_square <= 0.25);
  }
}
