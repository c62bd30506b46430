#include "assay/spec/dfa.hpp"

#include "assay/base/errors.hpp"
#include "assay/spec/vacuity.hpp"
#include "catch.hpp"

using namespace assay::spec;

namespace {

FormulaPtr formula(const std::string& ltl) {
  const auto spec = parse_spec(
      "spec \"t\" version 1; ap h = tok = id 1; ap r = tok = id 2; ap t = tok = id 3; ap u = tok = "
      "id 4;"
      "prop P: all " +
          ltl + ";",
      "s");
  return spec.properties[0].formula;
}
std::size_t size(const std::string& ltl) {
  return bad_prefix_dfa(formula(ltl)).states;
}

}  // namespace

TEST_CASE("minimal sizes of the bad-prefix automata") {
  REQUIRE(size("G !h") == 2);
  REQUIRE(size("precedes(r, h)") == 3);
  REQUIRE(size("G(h -> (!t W r))") == 3);
  for (const std::size_t k : {0U, 1U, 3U, 32U, 256U}) {
    INFO(k);
    REQUIRE(size("responds(h, r, within " + std::to_string(k) + ")") == k + 2);
    if (k > 0) {
      REQUIRE(size("cooldown(h, r, " + std::to_string(k) + ")") == k + 2);
    }
  }
  REQUIRE(size("absent(run(h, 3))") == 4);
  REQUIRE(size("responds(h, r, within 32) & responds(t, u, within 32)") == 1090);
  REQUIRE(size("responds(h, r)") == 1);  // liveness has no bad prefix
  REQUIRE(size("exists(h)") == 1);
}

TEST_CASE("doomed prefixes are bad, and X false refutes itself") {
  const Dfa never = bad_prefix_dfa(formula("X (h & !h)"));
  REQUIRE(never.states == 1);
  REQUIRE(never.bad[0]);
  REQUIRE(content(formula("X (h & !h)")) == Content::unsatisfiable);
  REQUIRE(content(formula("G(h -> h)")) == Content::valid);
  REQUIRE(content(formula("G h")) == Content::contingent);
  REQUIRE(content(formula("F h")) == Content::contingent);
}

TEST_CASE("formulas over the limits are refused, not run for ever") {
  std::string many = "G(h -> F[0:19999] r)";
  REQUIRE_THROWS_AS(bad_prefix_dfa(formula(many + " & G(t -> F[0:9999] u)")), assay::UsageError);
}

TEST_CASE("strengthening replaces one ap in one polarity") {
  const auto all = strengthenings(formula("G(h -> F[0:2] r)"));
  REQUIRE(all.size() == 2);
  REQUIRE(all[0].atom == 0);
  REQUIRE_FALSE(all[0].positive);  // h := true: G F[0:2] r
  REQUIRE(all[1].positive);        // r := false: G !h
  REQUIRE(bad_prefix_dfa(all[1].formula).states == 2);
}
