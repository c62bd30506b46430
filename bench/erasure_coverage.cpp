// Coverage of TWO-HALVES and LEAKAGE over simulated populations whose covariance is known, and their tightness
// beside McDiarmid's inequality for vectors.
//   bench_erasure_coverage [POPULATIONS=1000] [SEED=1] [table]
// Exit 1 when more populations are missed than a binomial of that alpha allows (P < 10^-6).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/erase/population.hpp"

using namespace assay;
using namespace assay::erase;

namespace {

constexpr double kAlpha = 0.01;

/// A law of (y, z) on finitely many atoms, or on the sphere: Cov(y, z) is known.
struct Law {
  std::size_t d = 0;
  std::vector<double> weight;          ///< cumulated
  std::vector<std::vector<double>> y;  ///< of each atom
  std::vector<double> z;               ///< P(z = 1) of each atom

  [[nodiscard]] std::size_t draw(Random& random) const {
    const double at = random.unit() * weight.back();
    std::size_t k = 0;
    while (k + 1 < weight.size() && weight[k] <= at) {
      ++k;
    }
    return k;
  }
  /// |Cov(y, z)|
  [[nodiscard]] double truth() const {
    std::vector<double> mean(d), with(d);
    double ones = 0, before = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double p = (weight[k] - before) / weight.back();
      before = weight[k];
      ones += p * z[k];
      for (std::size_t j = 0; j < d; ++j) {
        mean[j] += p * y[k][j];
        with[j] += p * z[k] * y[k][j];
      }
    }
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const double c = with[j] - ones * mean[j];
      sum += c * c;
    }
    return std::sqrt(sum);
  }
};

double gauss(Random& random) {
  return std::sqrt(-2.0 * std::log(1.0 - random.unit())) *
         std::cos(2.0 * std::numbers::pi * random.unit());
}

/// Atoms of equal or very unequal weight, of one size or with a few far ones, the label blind to y, a
/// function of it, or in between: with `seed` every mixture comes.
Law law_of(Random& random) {
  Law law;
  law.d = 1 + random.below(24);
  const std::size_t atoms = 2 + random.below(60);
  const double signal = random.below(3) == 0 ? 0.0 : random.unit();
  const bool rare = random.below(2) == 0, far = random.below(3) == 0;
  const double base = random.below(2) == 0 ? 0.5 : 0.02 + 0.3 * random.unit();
  std::vector<double> towards(law.d);
  for (double& t : towards) {
    t = gauss(random);
  }
  double total = 0;
  for (std::size_t k = 0; k < atoms; ++k) {
    std::vector<double> y(law.d);
    double along = 0;
    for (std::size_t j = 0; j < law.d; ++j) {
      y[j] = gauss(random) * (far && random.below(8) == 0 ? 8.0 : 1.0);
      along += y[j] * towards[j];
    }
    total += rare ? std::pow(random.unit(), 6.0) + 1e-5 : 1.0;
    law.weight.push_back(total);
    law.y.push_back(std::move(y));
    law.z.push_back(base + signal * ((along > 0 ? 1.0 : 0.0) - base));
  }
  return law;
}

/// By power iteration, from below: the harder case for coverage.
double top_eigenvalue(const std::vector<double>& gram, std::size_t d) {
  std::vector<double> u(d, 1.0);
  double top = 0;
  for (int step = 0; step < 200; ++step) {
    std::vector<double> next(d);
    double size = 0;
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t l = 0; l < d; ++l) {
        next[j] += gram[j * d + l] * u[l];
      }
      size += next[j] * next[j];
    }
    top = std::sqrt(size);
    for (std::size_t j = 0; j < d && top > 0; ++j) {
      u[j] = next[j] / top;
    }
  }
  return top;
}

/// Pairs from a law, as figures; the largest norm is that of the support.
PairFigures figures_of(const Law& law, std::size_t pairs, Random& random) {
  double largest = 0;
  for (const auto& y : law.y) {
    double sum = 0;
    for (const double x : y) {
      sum += x * x;
    }
    largest = std::max(largest, std::sqrt(sum));
  }
  PairFigures out;
  out.a = pairs / 2;
  out.b = pairs - out.a;
  out.largest = largest;
  std::vector<double> mean(law.d), v(law.d), gram(law.d * law.d);
  const auto draw = [&] {
    const std::size_t s = law.draw(random), t = law.draw(random);
    const double apart =
        (random.unit() < law.z[s] ? 0.5 : 0.0) - (random.unit() < law.z[t] ? 0.5 : 0.0);
    for (std::size_t j = 0; j < law.d; ++j) {
      v[j] = (law.y[s][j] - law.y[t][j]) * apart;
    }
  };
  for (std::size_t i = 0; i < out.a; ++i) {
    draw();
    for (std::size_t j = 0; j < law.d; ++j) {
      mean[j] += v[j] / static_cast<double>(out.a);
      for (std::size_t l = 0; l < law.d; ++l) {
        gram[j * law.d + l] += v[j] * v[l] / static_cast<double>(out.a);
      }
    }
  }
  out.lambda = top_eigenvalue(gram, law.d);
  for (const double m : mean) {
    out.norm += m * m;
  }
  out.norm = std::sqrt(out.norm);
  for (std::size_t i = 0; i < out.b; ++i) {
    draw();
    double x = 0;
    for (std::size_t j = 0; j < law.d; ++j) {
      x += v[j] * mean[j];
    }
    out.along += x / static_cast<double>(out.b);
    out.square_along += x * x / static_cast<double>(out.b);
  }
  return out;
}

/// P(Bin(n, alpha) >= k)
double tail(std::size_t n, std::size_t k) {
  double sum = 0, log_choose = 0;
  for (std::size_t j = 0; j <= n; ++j) {
    if (j > 0) {
      log_choose += std::log(static_cast<double>(n - j + 1) / static_cast<double>(j));
    }
    const auto x = static_cast<double>(j), rest = static_cast<double>(n - j);
    sum += j >= k ? std::exp(log_choose + x * std::log(kAlpha) + rest * std::log(1 - kAlpha)) : 0.0;
  }
  return sum;
}

int coverage(std::size_t populations, std::uint64_t seed) {
  std::size_t above = 0, below = 0, plug_in = 0, shown = 0;
  double closest = 0;
  for (std::size_t i = 0; i < populations; ++i) {
    Random random(seed * 1'000'003 + i);
    const Law law = law_of(random);
    const double truth = law.truth();
    const std::size_t pairs = 200u << random.below(6);
    const PairFigures p = figures_of(law, pairs, random);
    const double hi = covariance_bound(p, kAlpha), lo = leakage_bound(p, kAlpha);
    above += truth > hi ? 1 : 0;
    below += truth < lo ? 1 : 0;
    plug_in += truth > p.norm ? 1 : 0;
    shown += lo > 0 ? 1 : 0;
    closest = std::max(closest, truth / hi);
  }
  std::printf(
      "populations %zu, alpha %g: TWO-HALVES missed %zu, LEAKAGE missed %zu (positive in %zu); the "
      "plug-in "
      "norm is below the truth in %zu; largest truth / bound %.3f\n",
      populations, kAlpha, above, below, shown, plug_in, closest);
  return tail(populations, above) < 1e-6 || tail(populations, below) < 1e-6 ? 1 : 0;
}

/// Rows on the sphere of radius sqrt d, in units of 2^-10, as the tool would read them; the label follows the
/// first coordinate with correlation about rho. All figures are divided by sd(y_j) sd(z) = 1/2: correlations.
void tightness(std::size_t d, std::size_t n, double rho, std::uint64_t seed) {
  Random random(seed);
  GridRows rows;
  rows.d = d;
  rows.y.reserve(n * d);
  std::vector<double> y(d);
  for (std::size_t i = 0; i < n; ++i) {
    double size = 0;
    for (double& x : y) {
      x = gauss(random);
      size += x * x;
    }
    size = 1000.0 * std::sqrt(static_cast<double>(d) / size);  // rms just below the scale 2^10
    for (const double x : y) {
      rows.y.push_back(static_cast<std::int32_t>(std::lround(x * size)));
    }
    const double tilt = std::clamp(rho * y[0] * size / 1000.0, -1.0, 1.0);
    rows.z.push_back(random.unit() < 0.5 + 0.5 * tilt ? 1 : 0);
  }
  const Population population(rows, {});
  const PairFigures p = population.figures(0, Products::linear);
  const double unit = 0.5 * 1000.0 / 1024.0;
  std::printf("| %zu | %zu | %.1f | %.3f | %.3f | %.3f | %.3f |\n", d, n, rho, p.norm / unit,
              mcdiarmid_bound(p.norm, p.largest, p.a + p.b, kAlpha) / unit,
              covariance_bound(p, kAlpha) / unit, leakage_bound(p, kAlpha) / unit);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t populations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const int failed = coverage(populations, seed);
  if (argc > 3) {
    std::printf(
        "| d | rows | rho | plug-in | McDiarmid | TWO-HALVES | LEAKAGE "
        "|\n|---|---|---|---|---|---|---|\n");
    for (const std::size_t d : {64u, 768u}) {
      for (const std::size_t n : {20'000u, 100'000u}) {
        for (const double rho : {0.0, 0.2}) {
          tightness(d, n, rho, seed);
        }
      }
    }
  }
  return failed;
}
