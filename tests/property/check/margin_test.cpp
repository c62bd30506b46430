#include "catch.hpp"
#include "check_margin.hpp"

using namespace check_test;

namespace {

std::vector<Family> families() {
  std::vector<Family> all;
  unsigned seed = 70;
  for (const char* positions : {"relative_bias", "standard", "rotary", "none"}) {
    for (const char* norm : {"", "LN", "LNPre"}) {
      for (const bool attn_only : {false, true}) {
        ++seed;
        all.push_back({positions, seed % 2 == 0 ? "relu" : "gelu", norm,
                       std::string(positions) == "relative_bias" || seed % 3 == 0, attn_only,
                       seed % 2 == 0 ? 3U : 0U, seed});
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("margins: what is accepted holds of every context, and no tighter bound is accepted") {
  std::size_t contexts = 0;
  for (const Family& family : families()) {
    TestDomain domain;
    domain.any = family.window != 0 && family.positions != "standard";
    const auto c = make_margin(family, domain);
    INFO(family.positions << " " << family.norm << " " << family.act << " " << family.attn_only);
    c->brute_force_margin();
    contexts += c->contexts;
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    CHECK(outcome.accepted);
    CHECK(c->reached[0] <= c->U[0] + 1e-9);
    CHECK(c->reached[1] <= c->U[1] + 1e-9);
    const auto accepts = [&](double lo, double hi) {
      c->state(lo, hi);
      return c->check().accepted;
    };
    CHECK_FALSE(accepts(-c->U[1] - 1e-6, c->U[0] - 1e-7));
    CHECK_FALSE(accepts(-c->U[1] + 1e-7, c->U[0] + 1e-6));
    CHECK_FALSE(accepts(-c->U[1] - 1e-6, c->reached[0] - 1e-9));
    CHECK_FALSE(accepts(-c->reached[1] + 1e-9, c->U[0] + 1e-6));
    // ENUM is the truth of the margin itself.
    c->state(-c->reached[1] - 1e-9, c->reached[0] + 1e-9);
    c->finish({"root ROOT : dom", "fhi ENUM root q hi :", "flo ENUM root q lo :"});
    CHECK(c->check().accepted);
    for (const int side : {0, 1}) {
      c->state(-c->reached[1] - 1e-9 + (side == 0 ? 0 : 2e-9),
               c->reached[0] + 1e-9 - (side == 0 ? 2e-9 : 0));
      CHECK_FALSE(c->check().accepted);
    }
  }
  CHECK(contexts > 2000);
}
