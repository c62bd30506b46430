#include "catch.hpp"
#include "check_site.hpp"

using namespace check_test;

namespace {

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// Inputs of all sizes, and the two that lean on the reading as far as any does.
std::vector<Vector> inputs_of(const SiteCase& c, const Vector& g, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Vector> all;
  for (int i = 0; i < 400; ++i) {
    Vector y;
    const double size = std::exp(3 * normal(random)), shift = normal(random);
    for (std::size_t k = 0; k < SiteCase::d; ++k) {
      y.push_back(size * (normal(random) + shift));
    }
    all.push_back(y);
  }
  for (const double sign : {1e6, -1e6}) {
    all.emplace_back();
    for (std::size_t k = 0; k < SiteCase::d; ++k) {
      all.back().push_back(sign * c.w[k] * g[k]);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("sites: what is accepted holds of every input, and no tighter bound is accepted") {
  unsigned seed = 0;
  for (const char* norm : {"LN", "LNPre", "RMS", "RMSPre"}) {
    for (const char* site : {"ln_final", "blocks.3.ln1", "blocks.0.ln2"}) {
      SiteCase c(norm, site, ++seed);
      for (const char* words : {"logit 2", "logit-difference 2 4", "feature 1", "readout ro"}) {
        if (!c.of_logits && words[0] == 'l') {
          CHECK_FALSE(c.accepts_bound(words, -1e6, 1e6));
          continue;
        }
        INFO(norm << " " << site << " " << words);
        Vector g;
        double constant = 0;
        c.reading(words, g, constant);
        const auto [center, radius] = c.sphere(g, constant);
        CHECK(c.accepts_bound(words, center - radius - 1e-12, center + radius + 1e-12));
        CHECK_FALSE(c.accepts_bound(words, center - radius + 1e-12, center + radius + 1e-9));
        CHECK_FALSE(c.accepts_bound(words, center - radius - 1e-9, center + radius - 1e-12));
        CHECK(c.accepts_width(words, 2 * radius + 1e-12));
        CHECK_FALSE(c.accepts_width(words, 2 * radius - 1e-12));
        double most = -HUGE_VAL, least = HUGE_VAL;
        for (const Vector& y : inputs_of(c, g, seed)) {
          const double value = dot(g, c.output(y)) + constant;
          most = std::max(most, value);
          least = std::min(least, value);
        }
        CHECK(most <= center + radius + 1e-12);
        CHECK(least >= center - radius - 1e-12);
        CHECK(most - least > 2 * radius - 1e-8);  // so that nothing tighter would be true
      }
    }
  }
}

TEST_CASE("sites: a token that is accepted as never argmax leads for no input") {
  for (const char* norm : {"LN", "LNPre", "RMS", "RMSPre"}) {
    for (unsigned seed = 1; seed < 6; ++seed) {
      SiteCase c(norm, "ln_final", seed);
      c.write("never-argmax never 5", {kMixture});
      const auto outcome = c.check();
      INFO(outcome.lines.back());
      CHECK(outcome.accepted);
      const auto logits = [&](const Vector& x) {
        Vector l;
        for (std::size_t t = 0; t < SiteCase::V; ++t) {
          l.push_back(static_cast<double>(c.b_U[t]));
          for (std::size_t i = 0; i < SiteCase::d; ++i) {
            l[t] += x[i] * static_cast<double>(c.W_U[i * SiteCase::V + t]);
          }
        }
        return l;
      };
      Vector column;
      for (std::size_t i = 0; i < SiteCase::d; ++i) {
        column.push_back(static_cast<double>(c.W_U[i * SiteCase::V + 5]));
      }
      for (const Vector& y : inputs_of(c, column, seed)) {
        const Vector l = logits(c.output(y));
        CHECK(l[5] < *std::max_element(l.begin(), l.end() - 1));
      }
      // Raised until an input makes it argmax: no mixture of the grid is accepted.
      c.b_U[5] += 30;
      c.save();
      for (int a = 0; a <= 8; ++a) {
        const std::string step =
            "never NEVER-ARGMAX : M 2 1 " + hex((a + 0.5) / 9) + " 2 " + hex(1 - (a + 0.5) / 9);
        c.write("never-argmax never 5", {step});
        CHECK_FALSE(c.check().accepted);
      }
    }
  }
}
