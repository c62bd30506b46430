#include "catch.hpp"
#include "check_general.hpp"

using namespace check_test;

namespace {

/// The families of the page: positions × window × norm × activation, not all products.
std::vector<Family> families() {
  std::vector<Family> all;
  unsigned seed = 0;
  for (const char* positions : {"relative_bias", "standard", "rotary", "none"}) {
    for (const std::size_t window : {std::size_t{3}, std::size_t{0}}) {
      for (const char* norm : {"", "LN", "LNPre"}) {
        for (const char* act : {"relu", "gelu", "gelu_new"}) {
          const bool bias = std::string(positions) == "relative_bias" || ++seed % 3 == 0;
          all.push_back({positions, act, norm, bias, false, window, ++seed});
        }
        all.push_back({positions, "relu", norm, true, true, window, ++seed});
      }
    }
  }
  return all;
}

std::vector<std::string> quantities(const Family& family) {
  if (family.attn_only) {
    return {"feature:mid", "readout:resid_post", "residual", "logit", "difference"};
  }
  return {"neuron",   "feature:mid", "feature:post", "readout:mlp_out", "readout:resid_post",
          "residual", "logit",       "difference"};
}

}  // namespace

TEST_CASE(
    "general contexts: what is accepted holds of every context, and no tighter bound is accepted") {
  std::size_t checked = 0, contexts = 0;
  for (const Family& family : families()) {
    const std::vector<std::string> kinds = quantities(family);
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      if ((k + family.seed) % 2 != 0) {
        continue;
      }
      TestDomain domain;
      domain.hi = family.seed % 3 == 0 ? 5 : 4;
      domain.any = family.window != 0 && family.positions != "standard" && k % 4 < 2;
      // Half of them with ATTN-JOINT at numbers of no merit, most folds on parts by a neuron's sign.
      const GeneralOptions options{1e-9, false, (k + family.seed) % 4 < 2 ? 0 : 0.3, k % 4 < 3};
      const auto c = make_general(family, domain, kinds[k], options);
      INFO(family.positions << " " << family.window << " " << family.norm << " " << family.act
                            << " " << family.attn_only << " " << kinds[k] << " seed "
                            << family.seed);
      c->brute_force();
      contexts += c->contexts;
      const auto outcome = c->check();
      INFO(outcome.lines.back());
      CHECK(outcome.accepted);
      CHECK(c->reached[0] <= c->U[0] + 1e-9);
      CHECK(c->reached[1] <= c->U[1] + 1e-9);
      ++checked;
      // The rule's number, no less; and never less than what a context reaches.
      const auto accepts = [&](double lo, double hi) {
        c->state(lo, hi);
        return c->check().accepted;
      };
      const double room = 1e-6;
      CHECK_FALSE(accepts(-c->U[1] - room, c->U[0] - 1e-7));
      CHECK_FALSE(accepts(-c->U[1] + 1e-7, c->U[0] + room));
      CHECK_FALSE(accepts(-c->U[1] - room, c->reached[0] - 1e-9));
      CHECK_FALSE(accepts(-c->reached[1] + 1e-9, c->U[0] + room));
    }
  }
  CHECK(checked > 150);
  CHECK(contexts > 20000);
}

TEST_CASE("ENUM gives the brute-force extremes, SPHERE a bound, in every family") {
  for (const Family& family : families()) {
    if (family.seed % 2 != 0) {
      continue;
    }
    const std::vector<std::string> kinds = quantities(family);
    TestDomain domain;
    domain.any = family.window != 0 && family.positions != "standard";
    const auto c = make_general(family, domain, kinds[family.seed / 2 % kinds.size()]);
    c->brute_force();
    c->state(-c->reached[1] - 1e-9, c->reached[0] + 1e-9);
    c->finish({"root ROOT : dom", "fhi ENUM root q hi :", "flo ENUM root q lo :"});
    const auto outcome = c->check();
    INFO(family.positions << " " << family.norm << " " << family.act << outcome.lines.back());
    CHECK(outcome.accepted);
    for (const int side : {0, 1}) {
      c->state(-c->reached[1] - 1e-9 + (side == 0 ? 0 : 2e-9),
               c->reached[0] + 1e-9 - (side == 0 ? 2e-9 : 0));
      CHECK_FALSE(c->check().accepted);
    }
    if (!family.norm.empty()) {
      const auto s = make_general(family, domain, "difference", {1e-9, true});
      s->brute_force();
      CHECK(s->check().accepted);
      CHECK(s->reached[0] <= s->U[0]);
      s->state(-s->U[1] - 1e-8, s->U[0] - 1e-8);
      CHECK_FALSE(s->check().accepted);
    }
  }
}
