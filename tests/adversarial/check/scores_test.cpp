#include "check_sample.hpp"

using namespace check_test;

TEST_CASE(
    "general: scores of any size: the largest value is a bound, a number below the maximum is "
    "not") {
  std::size_t rejected = 0;
  for (const double size : {1.0, 1e2, 1e3, 1e5, 1e9, 1e14, 1e25}) {
    for (unsigned seed = 1; seed <= 12; ++seed) {
      Family family{"none", "relu", "", false, true, 3, seed};
      TestDomain domain;
      domain.lo = 1;
      domain.any = true;
      domain.sets = {{seed % 4}};
      domain.rest = {0, 1, 2, 3};
      const auto c = make_general(family, domain, "residual");
      for (float& w : c->model.weights.at("blocks.0.attn.W_Q")) {
        w = static_cast<float>(static_cast<double>(w) * size);
      }
      c->model.save(c->inputs.model);
      // Per head: what is along the direction for every token. The hull is the largest.
      const FamilyModel& m = c->model;
      std::vector<Vector> nu(m.H, Vector(m.V));
      for (std::size_t h = 0; h < m.H; ++h) {
        for (std::size_t u = 0; u < m.V; ++u) {
          const Vector v = m.value(h, u, 0);
          for (std::size_t i = 0; i < m.d; ++i) {
            nu[h][u] += c->quantity.g[i] * v[i];
          }
        }
      }
      const auto accepts = [&](const Vector& L) {
        std::string words;
        for (const double x : L) {
          words += " " + hex(x);
        }
        c->state(-0x1p40, 0x1p40);
        c->finish({"root ROOT : dom", "fhi LINEAR root q hi :" + words,
                   "flo LINEAR root q lo : 0x1p+30 0x1p+30"});
        return c->check().accepted;
      };
      Vector hull;
      for (const Vector& values : nu) {
        hull.push_back(*std::max_element(values.begin(), values.end()) + 1e-9);
      }
      INFO("size " << size << " seed " << seed);
      CHECK(accepts(hull));
      for (std::size_t h = 0; h < m.H; ++h) {
        Vector low = hull;  // the context of the query alone has its own value
        low[h] = nu[h][seed % 4] - 1e-9;
        CHECK_FALSE(accepts(low));
        const auto best =
            static_cast<std::size_t>(std::max_element(nu[h].begin(), nu[h].end()) - nu[h].begin());
        low[h] = hull[h] - 2e-9;
        // Where the best token's weight is not small against the query's, it can all but take the head.
        const double gap = std::log(m.weight(h, seed % 4, 4, 0, best)) -
                           std::log(m.weight(h, seed % 4, 4, 0, seed % 4));
        if (gap > 40) {
          CHECK_FALSE(accepts(low));
          ++rejected;
        }
      }
    }
  }
  CHECK(rejected > 5);
}

TEST_CASE("ATTN-JOINT: a number of keys whose bound overflows is not passed over") {
  std::size_t controls = 0;
  for (const double size : {1e1, 3e1, 1e2}) {
    for (unsigned seed = 1; seed <= 40; ++seed) {
      Family family{"none", "relu", "", false, true, 3, seed};
      TestDomain domain;
      domain.lo = 1;
      domain.any = true;
      domain.sets = {{seed % 4}};
      domain.rest = {0, 1, 2, 3};
      const auto c = make_general(family, domain, "residual");
      for (float& w : c->model.weights.at("blocks.0.attn.W_Q")) {
        w = static_cast<float>(static_cast<double>(w) * size);
      }
      c->model.save(c->inputs.model);
      c->brute_force();
      // L and theta fit contexts of one and two tokens, for which the bound is exact; the last
      // position's theta makes that of three overflow.
      double shorter = c->value({seed % 4});
      for (const std::size_t u : domain.rest) {
        shorter = std::max(shorter, c->value({u, seed % 4}));
      }
      if (!(c->reached[0] > shorter + 1e-3)) {
        continue;
      }
      const FamilyModel& m = c->model;
      const auto accepts = [&](double hi, const std::string& last) {
        std::string L;
        std::string theta;
        for (std::size_t h = 0; h < m.H; ++h) {
          const Vector v = m.value(h, seed % 4, 0);
          double nu = 0;
          for (std::size_t i = 0; i < m.d; ++i) {
            nu += c->quantity.g[i] * v[i];
          }
          L += " " + hex(nu);
          theta += " 0x0p+0 0x0p+0 " + last;
        }
        c->state(-0x1p40, hi);
        c->finish({"root ROOT : dom", "fhi LINEAR root q hi :" + L + " T" + theta,
                   "flo LINEAR root q lo : 0x1p+30 0x1p+30"});
        return c->check().accepted;
      };
      INFO("size " << size << " seed " << seed);
      CHECK_FALSE(accepts(shorter + 1e-6, "0x1p+990"));
      controls += accepts(0x1p+100, "0x0p+0") ? 1 : 0;
    }
  }
  CHECK(controls > 10);
}
