#include "catch.hpp"
#include "check_firing.hpp"

using namespace check_test;

TEST_CASE("feature-on and feature-off: accepted exactly where brute force finds them") {
  std::size_t on = 0, off = 0, neither = 0;
  unsigned seed = 300;
  for (const char* positions : {"relative_bias", "standard", "rotary"}) {
    for (const std::size_t k : {0, 1, 2, 3}) {
      for (const double shift : {-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 6.0}) {
        const std::string place = positions;
        const Family family{place, "relu", "", place == "relative_bias", true, 3, ++seed};
        TestDomain domain;
        domain.hi = 3;
        const auto c = make_firing(family, domain, k, shift);
        INFO(positions << " k " << k << " shift " << shift << " seed " << seed);
        const auto [is_off, is_on] = c->truth();
        // By the pre-activation alone, or by k others that are larger.
        bool shown = c->accepts(false, "f");
        if (k == 1) {
          shown = c->accepts(false, "f-0") || c->accepts(false, "f-2") || shown;
        } else if (k == 2) {
          shown = c->accepts(false, "f-0 f-2") || shown;
        }
        // One set of others must do in every context: shown implies true, not the reverse.
        CHECK((is_off || !shown));
        CHECK((k == 1 || k == 2 || shown == is_off));
        const bool certain = k == 0 || k == 3 ? c->accepts(true, "f")
                             : k == 1         ? c->accepts(true, "f f-0 f-2")
                                      : c->accepts(true, "f f-0") || c->accepts(true, "f f-2");
        CHECK((is_on || !certain));
        CHECK((k == 2 || certain == is_on));
        off += shown ? 1 : 0;
        on += certain ? 1 : 0;
        neither += !is_off && !is_on ? 1 : 0;
      }
    }
  }
  CHECK(on > 10);
  CHECK(off > 10);
  CHECK(neither > 5);
}
