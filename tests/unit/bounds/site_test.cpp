#include "assay/bounds/site.hpp"

#include <catch.hpp>
#include <cmath>
#include <limits>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.unit())) * std::cos(6.283185307179586 * random.unit());
}

Tensor random_tensor(Random& random, std::vector<std::size_t> shape, double size) {
  Tensor t = zeros(std::move(shape));
  for (float& x : t.data) {
    x = static_cast<float>(size * normal(random));
  }
  return t;
}

NormalisedSite random_site(SiteNorm norm, std::size_t d, std::size_t V, std::uint64_t seed) {
  Random random(seed);
  NormalisedSite site;
  site.name = "ln_final";
  site.norm = norm;
  site.n_layers = 7;
  site.d_model = d;
  site.w = random_tensor(random, {d}, 1).data;
  site.b = norm == SiteNorm::layer_norm ? random_tensor(random, {d}, 0.5).data
                                        : std::vector<float>(d, 0.0F);
  site.W_U = random_tensor(random, {d, V}, 0.7);
  site.b_U = random_tensor(random, {V}, 0.3);
  return site;
}

/// The normalisation itself, of an arbitrary input y.
std::vector<double> output(const NormalisedSite& site, std::vector<double> y, double eps) {
  const auto d = static_cast<double>(y.size());
  double mean = 0, square = 0;
  for (const double x : y) {
    mean += site.norm == SiteNorm::layer_norm ? x / d : 0;
  }
  for (double& x : y) {
    x -= mean;
    square += x * x;
  }
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = y[i] / std::sqrt(square / d + eps) * static_cast<double>(site.w[i]) +
           static_cast<double>(site.b[i]);
  }
  return y;
}

double value(const Reading& r, const std::vector<double>& x) {
  double sum = r.constant.lo;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += r.weights[i].lo * x[i];
  }
  return sum;
}

std::vector<double> random_input(Random& random, std::size_t d) {
  std::vector<double> y(d);
  const double size = std::exp(4 * normal(random)), offset = normal(random);
  for (double& x : y) {
    x = size * (normal(random) + offset);
  }
  return y;
}

/// The input whose output leans on the reading as far as any: y = w ∘ g.
std::vector<double> extreme_input(const NormalisedSite& site, const Reading& r, double sign) {
  std::vector<double> y(site.d_model);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = sign * 1e6 * static_cast<double>(site.w[i]) * r.weights[i].lo;
  }
  return y;
}

}  // namespace

TEST_CASE("sampled outputs of the normalisation stay inside, its extreme reaches the end") {
  for (const SiteNorm norm : {SiteNorm::layer_norm, SiteNorm::rms_norm}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const NormalisedSite site = random_site(norm, 9, 5, seed);
      Random random(100 + seed);
      for (const Reading& r : {logit_reading(site, 3), difference_reading(site, 1, 4)}) {
        const SiteBound bound = sphere_bound(site, r);
        std::size_t outside = 0;
        for (int i = 0; i < 10000; ++i) {
          const double v = value(r, output(site, random_input(random, 9), 1e-5));
          outside += v < bound.lo || v > bound.hi ? 1 : 0;
        }
        REQUIRE(outside == 0);
        const double most = value(r, output(site, extreme_input(site, r, 1), 1e-12));
        const double least = value(r, output(site, extreme_input(site, r, -1), 1e-12));
        REQUIRE(most == Approx(bound.hi).epsilon(1e-9));
        REQUIRE(least == Approx(bound.lo).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("RMSNorm is not centred: the LayerNorm bound would be unsound for it") {
  NormalisedSite site = random_site(SiteNorm::rms_norm, 4, 2, 5);
  site.w.assign(4, 1.0F);
  const Reading ones{"ones", std::vector<Interval>(4, Interval(1.0)), Interval(0.5)};
  REQUIRE(sphere_bound(site, ones).hi >= 4.5);
  REQUIRE_FALSE(sphere_bound(site, ones).is_nullified(1e-6));
  site.norm = SiteNorm::layer_norm;
  site.b.assign(4, 0.0F);
  const SiteBound flat = sphere_bound(site, ones);
  REQUIRE(flat.is_nullified(1e-12));
  REQUIRE(flat.lo <= 0.5);
  REQUIRE(flat.hi >= 0.5);
}

TEST_CASE("a readout that w turns into a constant is nullified, a small change is not") {
  NormalisedSite site = random_site(SiteNorm::layer_norm, 6, 2, 6);
  Readout readout;
  readout.hook = "ln_final.hook_normalized";
  double constant = 0.25;
  for (std::size_t i = 0; i < 6; ++i) {
    readout.weights.push_back(3 / static_cast<double>(site.w[i]));
    constant += readout.weights[i] * static_cast<double>(site.b[i]);
  }
  readout.bias = 0.25;
  const SiteBound bound = sphere_bound(site, readout_reading(site, readout));
  REQUIRE(bound.is_nullified(1e-10));
  REQUIRE(bound.lo <= constant + 1e-12);
  REQUIRE(bound.hi >= constant - 1e-12);
  readout.weights[2] += 1e-3;
  REQUIRE_FALSE(sphere_bound(site, readout_reading(site, readout)).is_nullified(1e-10));
}

TEST_CASE("NaN and overflow never make a bound") {
  const NormalisedSite site = random_site(SiteNorm::layer_norm, 3, 2, 7);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), 1e308, std::numeric_limits<double>::infinity()}) {
    const Reading r{"bad", {Interval(bad), Interval(-bad), Interval(1.0)}, Interval(0.0)};
    REQUIRE_THROWS_AS(sphere_bound(site, r), InputError);
  }
}

TEST_CASE("readings that do not fit the site are refused by name") {
  NormalisedSite site = random_site(SiteNorm::rms_norm, 3, 2, 8);
  REQUIRE_THROWS_WITH(logit_reading(site, 2),
                      Catch::Contains("logit: expected a token id below 2"));
  REQUIRE_THROWS_WITH(difference_reading(site, 0, 9), Catch::Contains("minus"));
  Readout readout{"ln_final.hook_normalized", {1, 2, 3}, 0, {}};
  // TransformerLens reads that hook of RMSNorm before w: only the output itself is meant.
  REQUIRE_THROWS_WITH(readout_reading(site, readout), Catch::Contains("hook"));
  readout.hook = "ln_final";
  REQUIRE_NOTHROW(readout_reading(site, readout));
  readout.weights.pop_back();
  REQUIRE_THROWS_WITH(readout_reading(site, readout), Catch::Contains("weights"));
  site.W_U = {};
  site.b_U = {};
  REQUIRE_THROWS_AS(logit_reading(site, 0), InputError);
  REQUIRE_THROWS_AS(ArgmaxSearch(site), InputError);
}

TEST_CASE("a token inside the others' hull is never argmax, and no sample says otherwise") {
  for (const SiteNorm norm : {SiteNorm::layer_norm, SiteNorm::rms_norm}) {
    NormalisedSite site = random_site(norm, 6, 12, 9);
    for (std::size_t i = 0; i < 6; ++i) {
      float mean = 0;
      for (std::size_t y = 0; y < 11; ++y) {
        mean += site.W_U.at(i, y) / 11;
      }
      site.W_U.data[i * 12 + 11] = mean;
    }
    site.b_U.data[11] = -0.5F;
    const ArgmaxSearch search(site);
    const auto never = search.search(11, 400);
    REQUIRE(never);
    REQUIRE(never->margin > 0);
    REQUIRE(mixture_lead(site, 11, never->mixture) == -never->margin);
    // Every token, on its own extreme and on samples: none that is proved never leads.
    Random random(10);
    std::vector<bool> led(12, false);
    const auto note = [&](const std::vector<double>& y) {
      const std::vector<double> x = output(site, y, 1e-9);
      std::size_t best = 0;
      double most = -std::numeric_limits<double>::infinity();
      for (std::uint32_t t = 0; t < 12; ++t) {
        const double l = value(logit_reading(site, t), x);
        best = l > most ? t : best;
        most = std::max(most, l);
      }
      led[best] = true;
    };
    for (int i = 0; i < 10000; ++i) {
      note(random_input(random, 6));
    }
    for (std::uint32_t t = 0; t < 12; ++t) {
      note(extreme_input(site, logit_reading(site, t), 1));
    }
    for (std::uint32_t t = 0; t < 12; ++t) {
      REQUIRE_FALSE((led[t] && search.search(t, 400)));
    }
    // The untouched token is proved; raised above the hull it is not.
    site.b_U.data[11] = 40.0F;
    REQUIRE_FALSE(ArgmaxSearch(site).search(11, 400));
  }
}

TEST_CASE("mixtures that are not mixtures are refused, and a wrong one proves nothing") {
  const NormalisedSite site = random_site(SiteNorm::layer_norm, 4, 4, 11);
  const std::uint64_t half = kMixtureParts / 2;
  REQUIRE_NOTHROW(mixture_lead(site, 0, {{1, half}, {2, half}}));
  REQUIRE(mixture_lead(site, 0, {{1, kMixtureParts}}) > 0);
  using Mixture = std::vector<Share>;
  for (const Mixture& bad :
       {Mixture{}, Mixture{{0, kMixtureParts}}, Mixture{{1, half}}, Mixture{{1, half}, {1, half}},
        Mixture{{2, half}, {1, half}}, Mixture{{1, kMixtureParts}, {2, 1}},
        Mixture{{9, kMixtureParts}}, Mixture{{1, kMixtureParts}, {2, 0}},
        Mixture{{1, kMixtureParts + 1}, {2, ~std::uint64_t{0}}}}) {
    REQUIRE_THROWS_AS(mixture_lead(site, 0, bad), InputError);
  }
}
