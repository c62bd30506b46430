#include "catch.hpp"
#include "check_general.hpp"

using namespace check_test;

namespace {

/// Domains in which places are fixed, free, sure and not.
std::vector<TestDomain> domains() {
  return {{2, 4, false, {{0, 1, 2, 3}, {1, 3}}, {0, 2, 3}},
          {2, 4, true, {{2}, {1, 3}}, {0, 1, 2, 3}},
          {3, 3, false, {{0, 1, 2, 3}, {0}, {2}}, {0}},
          {3, 3, false, {{1}, {0, 3}, {0, 1, 2, 3}}, {0}},
          {1, 3, false, {{0, 1}}, {1, 2}},
          {3, 4, false, {{2}, {0}, {3}}, {1}}};
}

/// Domains of which one place alone is free, or none.
std::vector<TestDomain> one_free() {
  return {{3, 3, false, {{2}, {0, 1, 2, 3}, {1}}, {0}},
          {3, 3, false, {{0, 1, 3}, {0}, {2}}, {0}},
          {2, 2, false, {{0, 1, 2, 3}, {1, 2}}, {0}},
          {4, 4, false, {{0}, {3}, {2}, {1, 3}}, {0}},
          {2, 3, false, {{1}, {3}}, {0, 2, 3}}};
}

const std::vector<std::string> kQuantities = {
    "neuron", "feature:post", "readout:mlp_out", "readout:resid_post", "logit", "difference"};

/// Accepted, true of every context, and no tighter end is accepted; gives the number of contexts.
std::size_t try_bounds(GeneralCase& c) {
  c.brute_force();
  const auto outcome = c.check();
  INFO(outcome.lines.back());
  CHECK(outcome.accepted);
  CHECK(c.reached[0] <= c.U[0] + 1e-9);
  CHECK(c.reached[1] <= c.U[1] + 1e-9);
  const auto accepts = [&](double lo, double hi) {
    c.state(lo, hi);
    return c.check().accepted;
  };
  CHECK_FALSE(accepts(-c.U[1] - 1, c.U[0] - 1e-7));
  CHECK_FALSE(accepts(-c.U[1] + 1e-7, c.U[0] + 1));
  CHECK_FALSE(accepts(-c.U[1] - 1, c.reached[0] - 1e-9));
  CHECK_FALSE(accepts(-c.reached[1] + 1e-9, c.U[0] + 1));
  return c.contexts;
}

constexpr std::size_t kAllHeads = 2;  // of a Family

}  // namespace

TEST_CASE("HULL: what is accepted holds of every context, and nothing tighter than the rule says") {
  std::size_t checked = 0, contexts = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const bool biased = seed % 3 != 0;
    const Family family{biased ? "relative_bias" : "none", "relu", "", biased, false, 3, seed};
    const TestDomain domain = domains()[seed % 6];
    const std::string kind = kQuantities[seed / 2 % 6];
    const auto c = make_general(family, domain, kind, {1e-9, false, 0, false, seed / 3 % 2});
    INFO(family.positions << " " << kind << " seed " << seed);
    contexts += try_bounds(*c);
    ++checked;
  }
  CHECK(checked == 60);
  CHECK(contexts > 1000);
}

TEST_CASE("HULL with one place free: any positions, all heads at one vertex") {
  std::size_t contexts = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const std::string positions =
        std::vector<std::string>{"standard", "rotary", "relative_bias", "none"}[seed % 4];
    const Family family{positions, "relu", "", positions == "relative_bias", false, 3, seed};
    const std::string kind = kQuantities[seed / 4 % 6];
    INFO(positions << " " << kind << " seed " << seed);
    contexts += try_bounds(
        *make_general(family, one_free()[seed % 5], kind, {1e-9, false, 0, false, kAllHeads}));
  }
  CHECK(contexts > 200);
}

TEST_CASE("HULL EACH: every token of a place in its turn, with slopes that are not written") {
  const std::vector<std::pair<TestDomain, std::size_t>> places = {
      {{2, 4, true, {{0, 1, 2, 3}, {1, 3}}, {0, 1, 2, 3}}, 1},
      {{3, 4, true, {{0, 1, 2, 3}, {2}, {1, 3}}, {0, 1, 2, 3}}, 2},
      {{2, 3, false, {{0, 3}, {1}}, {1, 2}}, 1},
      {{3, 3, false, {{1}, {0, 3}, {0, 1, 2, 3}}, {0}}, 1}};
  std::size_t contexts = 0, tighter = 0;
  for (unsigned seed = 1; seed <= 48; ++seed) {
    const bool biased = seed % 3 != 0;
    const Family family{biased ? "relative_bias" : "none", "relu", "", biased, false, 3, seed};
    const auto& [domain, place] = places[seed % 4];
    const std::string kind = kQuantities[seed / 4 % 6];
    GeneralOptions options{1e-9, false, 0, false, seed / 3 % 2};
    const auto whole = make_general(family, domain, kind, options);
    options.each = place;
    const auto c = make_general(family, domain, kind, options);
    INFO(family.positions << " " << kind << " seed " << seed << " place " << place);
    contexts += try_bounds(*c);
    tighter += c->U[0] < whole->U[0] - 1e-6 ? 1 : 0;
  }
  CHECK(contexts > 500);
  CHECK(tighter > 10);
}

TEST_CASE("HULL EACH: a place that some context lacks, another place, and words more are refused") {
  const TestDomain domain{2, 4, true, {{0, 1, 2, 3}, {1}}, {0, 1, 2, 3}};
  GeneralOptions options{1e-9, false, 0, false, 0};
  options.each = 1;
  const auto c =
      make_general({"relative_bias", "relu", "", true, false, 3, 3}, domain, "difference", options);
  REQUIRE(c->check().accepted);
  const auto reason = [&](std::size_t at, const std::string& word) {
    const std::vector<std::string> saved = c->lines;
    c->set_word("fc1hi HULL", at, word);
    const auto outcome = c->check();
    c->lines = saved;
    CHECK_FALSE(outcome.accepted);
    return outcome.lines.back();
  };
  for (const char* place : {"2", "3", "4", "99999999999", "-1", "*", "0x1p+0"}) {
    CHECK_FALSE(reason(9, place).empty());
  }
  CHECK(reason(9, "0").find("BOUND") != std::string::npos);  // a true fact, which shows less
  CHECK_FALSE(reason(7, "2").empty());
  CHECK_FALSE(reason(7, "*").empty());
  CHECK_FALSE(reason(8, "S").empty());
  CHECK_FALSE(reason(9, "1 1").empty());
}

TEST_CASE(
    "HULL with one place free is refused where two are, and for one head where there are "
    "positions") {
  const TestDomain one{3, 3, false, {{1}, {0, 3}, {2}}, {0}};
  const Family family{"rotary", "relu", "", false, false, 3, 5};
  const auto c = make_general(family, one, "difference", {1e-9, false, 0, false, kAllHeads});
  REQUIRE(c->check().accepted);
  const auto reason = [&](const std::string& word) {
    const std::vector<std::string> saved = c->lines;
    c->set_word("fc2hi HULL", 7, word);
    const auto outcome = c->check();
    c->lines = saved;
    CHECK_FALSE(outcome.accepted);
    return outcome.lines.back();
  };
  for (const char* head : {"0", "1"}) {
    CHECK(reason(head).find("HULL: expected no positions but a relative bias") !=
          std::string::npos);
  }
  for (const char* head : {"2", "**", "+", "S"}) {
    CHECK_FALSE(reason(head).empty());
  }
  const auto wide = make_general({"relative_bias", "relu", "", true, false, 3, 3},
                                 {3, 3, false, {{0, 1}, {0, 3}, {2}}, {0}}, "difference",
                                 {1e-9, false, 0, false, 0});
  REQUIRE(wide->check().accepted);
  wide->set_word("fc2hi HULL", 7, "*");
  CHECK(wide->check().lines.back().find("HULL: more than one position is free") !=
        std::string::npos);
}

TEST_CASE("HULL: a false number, a slope beyond [0, 1] and another head are refused by the rule") {
  const Family family{"relative_bias", "relu", "", true, false, 3, 3};
  const auto c = make_general(family, {}, "difference", {1e-9, false, 0, false, 0});
  REQUIRE(c->check().accepted);
  const std::string fact = "fc1hi HULL";
  const auto last = [&](const std::string& prefix, std::size_t at, const std::string& word) {
    const std::vector<std::string> saved = c->lines;
    c->set_word(prefix, at, word);
    const auto outcome = c->check();
    c->lines = saved;
    INFO(outcome.lines.back());
    CHECK_FALSE(outcome.accepted);
    return outcome.lines.back();
  };
  for (const char* slope : {"-0x1p-1000", "0x1.0000000000001p+0", "0x1p+400"}) {
    for (std::size_t j = 0; j < 5; ++j) {
      const std::string reason = last(fact, 9 + j, slope);
      CHECK(reason.find("HULL: slope " + std::to_string(j) + " is outside [0, 1]") !=
            std::string::npos);
    }
  }
  CHECK(last(fact, 7, "2").find("HULL") == std::string::npos);  // no head: a word, not a rule's
  CHECK(last(fact, 2, "root").find("HULL: the case is not ready") != std::string::npos);
  CHECK(last(fact, 4, "lo").find("JOIN") != std::string::npos);
  CHECK(last("c1 PART", 6, "1,3").find("HULL: the case is not ready") != std::string::npos);
}

TEST_CASE(
    "HULL is refused where its premises fail: LayerNorm, positions in the keys, gelu, no MLP") {
  for (const Family& family : {Family{"standard", "relu", "", true, false, 3, 1},
                               {"rotary", "relu", "", true, false, 3, 2},
                               {"relative_bias", "gelu", "", true, false, 3, 3},
                               {"relative_bias", "gelu_new", "", true, false, 3, 4},
                               {"relative_bias", "relu", "LN", true, false, 3, 5},
                               {"relative_bias", "relu", "LNPre", true, false, 3, 6},
                               {"relative_bias", "relu", "", true, true, 3, 7}}) {
    TestDomain domain;
    domain.lo = domain.hi = 3;
    const auto c = make_general(family, domain, "readout:resid_post");
    REQUIRE(c->check().accepted);
    const bool positions = family.positions == "standard";
    for (std::string& line : c->lines) {
      if (line.rfind(positions ? "fc1n3hi" : "fc1hi", 0) == 0) {
        line = line.substr(0, line.find(' ')) + " HULL " + (positions ? "c1n3" : "c1") +
               " q hi : H 0 S" + (family.attn_only ? "" : " 0x0p+0 0x0p+0 0x0p+0 0x0p+0 0x0p+0");
      }
    }
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    CHECK_FALSE(outcome.accepted);
    const bool other = family.positions != "relative_bias";
    CHECK(outcome.lines.back().find(other ? "HULL: expected no positions but a relative bias"
                                          : "HULL: expected relu neurons") != std::string::npos);
  }
}
