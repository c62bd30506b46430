#include "assay/verify/levels.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/smt/invariant.hpp"
#include "catch.hpp"

using namespace assay;
using Verdict = verify::LevelResult::Verdict;

namespace {

const std::string kFree =
    "HOA: v1 States: 1 Start: 0 AP: 2 \"A\" \"B\" Acceptance: 0 t --BODY-- State: 0 [t] 0 --END--";
const std::string kHead = "spec \"t\" version 1; ap A = tok = id 0; ap B = tok = id 1;\n";

verify::LevelResult decide(const std::string& rest, const verify::LevelEffort& effort = {},
                           const std::string& machine = kFree) {
  const spec::Spec spec = spec::parse_spec(kHead + rest, "t.spec");
  return verify::decide_levels(spec, spec.properties[0], automata::parse_hoa(machine, "m.hoa"),
                               effort);
}

/// No engine but the named ones.
verify::LevelEffort only(std::size_t points, std::size_t induction, std::size_t depth,
                         bool spacer) {
  verify::LevelEffort effort;
  effort.points = points;
  effort.induction = induction;
  effort.depth = depth;
  effort.spacer = spacer;
  return effort;
}

const std::string kLeaky = "level heat = 0 when A: 0.9*heat + 1 else 0.9*heat;\n";
bool has_z3() {
  return smt::solver_version() != "none";
}

}  // namespace

TEST_CASE("levels: finitely many values are enumerated") {
  const auto r = decide(
      "level n = 0 max 5 when B: 0 when A: n + 1 else n; ap Six = n > 5; prop P: all G !Six;");
  CHECK(r.verdict == Verdict::holds);
  CHECK(r.engine == "enumeration");
  CHECK(r.points == 6);
  const auto v =
      decide("level n = 0 max 5 when B: 0 when A: n + 1 else n; ap C = n >= 5; prop P: all G !C;");
  REQUIRE(v.verdict == Verdict::violated);
  CHECK(v.run.size() == 5);
  CHECK(v.run.back().values == std::vector<std::string>{"5"});
  CHECK(v.run.back().shown == std::vector<std::string>{"A"});
}

TEST_CASE("levels: a threshold at the limit of a leaky sum is exact to the last digit") {
  const auto holds = decide(kLeaky + "ap Z = heat >= 10; prop P: all G !Z;");
  CHECK(holds.verdict == Verdict::holds);
  CHECK(holds.engine == "1-induction");
  const auto strict =
      decide(kLeaky + "ap Z = heat >= 9.9999; prop P: all G !Z;", only(100, 3, 0, false));
  CHECK(strict.verdict == Verdict::unknown);
  CHECK_THAT(strict.reason, Catch::Contains("not 3-inductive"));
  const auto binary =
      decide("level h = 0 when A: 0.5*h + 0.1 else 0.5*h; ap Z = h >= 0.2; prop P: all G !Z;");
  CHECK(binary.verdict == Verdict::holds);
  const auto early = decide(kLeaky + "ap Z = heat >= 5; prop P: all G !Z;");
  REQUIRE(early.verdict == Verdict::violated);
  CHECK(early.run.size() == 7);
  CHECK(early.run.back().values == std::vector<std::string>{"5217031/1000000"});
}

TEST_CASE("levels: what a step ahead needs is found by k-induction") {
  const std::string spec =
      "level a = 0 when A: a + 1 else a; level b = 0 when A: b + 1 else b;\n"
      "level d = 0 else a - b; ap Apart = d > 0; prop P: all G !Apart;";
  CHECK(decide(spec, only(50, 1, 0, false)).verdict == Verdict::unknown);
  const auto r = decide(spec, only(50, 4, 0, false));
  CHECK(r.verdict == Verdict::holds);
  CHECK(r.engine == "2-induction");
}

TEST_CASE("levels: guards, comparisons of levels in guards, and control of the machine") {
  // 30 steps up, then it stays: the counters of Z3 issue 6403
  const auto r = decide(
      "level e = 0 max 30 else e + 1; ap More = e < 30; level c = 0 when More: c + 1 else c;\n"
      "ap Off = c - e >= 1; ap Off2 = e - c >= 1; prop P: all G(!Off & !Off2);");
  CHECK(r.verdict == Verdict::holds);
  // A only every other letter: at most one more A than half the letters
  const std::string machine =
      "HOA: v1 States: 2 Start: 0 AP: 2 \"A\" \"B\" Acceptance: 0 t --BODY-- State: 0 [t] 1 State: "
      "1 "
      "[!0] 0 --END--";
  const auto two =
      decide("level x = 0 when A: x + 1 else x - 1; ap C = x > 1; prop P: all G !C;", {}, machine);
  CHECK(two.verdict == Verdict::holds);
  CHECK(decide("level x = 0 when A: x + 1 else x - 1; ap C = x > 1; prop P: all G !C;").verdict ==
        Verdict::violated);
}

TEST_CASE("levels: a deep violation is found by bounded search and computed anew") {
  const auto r = decide(kLeaky + "ap Z = heat > 9.9; prop P: all G !Z;");
  if (!has_z3()) {
    CHECK(r.verdict == Verdict::unknown);
    return;
  }
  REQUIRE(r.verdict == Verdict::violated);
  CHECK(r.engine == "bounded search");
  CHECK(r.run.size() == 44);  // 10 (1 - 0.9^44) > 9.9
  CHECK(std::all_of(r.run.begin(), r.run.end(),
                    [](const auto& step) { return step.shown.size() >= 1; }));
}

TEST_CASE("levels: only runs that the machine accepts violate") {
  // A leads to where no accepted run goes on
  const std::string dead =
      "HOA: v1 States: 3 Start: 0 AP: 2 \"A\" \"B\" Acceptance: 0 t --BODY-- State: 0 [!0] 0 [0] 1 "
      "State: 1 [t] 2 State: 2 --END--";
  const std::string spec = "level x = 0 when A: x + 1 else x; ap C = x >= 1; prop P: all G !C;";
  CHECK(decide(spec, {}, dead).verdict == Verdict::holds);
  const std::string unfair =
      "HOA: v1 States: 2 Start: 0 AP: 2 \"A\" \"B\" Acceptance: 1 Inf(0) --BODY-- State: 0 {0} "
      "[!0] 0 "
      "[0] 1 State: 1 [t] 1 --END--";
  const auto r = decide(spec, {}, unfair);
  CHECK(r.verdict == Verdict::unknown);
  CHECK_THAT(r.reason, Catch::Contains("acceptance"));
}

TEST_CASE("levels: what is not decided says why, and a missing ap is an error") {
  const std::string level = "level x = 0 when A: x + 1 else x; ap C = x >= 3; ";
  CHECK_THAT(decide(level + "prop P: some F C;").reason, Catch::Contains("only 'all'"));
  CHECK_THAT(decide(level + "prop P: all F C;").reason, Catch::Contains("not a safety"));
  CHECK_THAT(decide(level + "prop P: all G(C | !C);").reason, Catch::Contains("says nothing"));
  CHECK_THAT(decide(level + "prop P: all G !C;", {},
                    "HOA: v1 States: 1 Start: 0 AP: 2 \"A\" \"B\" Acceptance: 1 Inf(0) "
                    "Finite-words: t --BODY-- State: 0 {0} [t] 0 --END--")
                 .reason,
             Catch::Contains("Finite-words"));
  CHECK_THROWS_AS(decide(level + "prop P: all G !C;", {},
                         "HOA: v1 States: 1 Start: 0 AP: 1 \"B\" Acceptance: 0 t --BODY-- State: 0 "
                         "[t] 0 --END--"),
                  UsageError);
}

TEST_CASE("levels: Spacer's model is a candidate that our own proof must carry") {
  if (!has_z3()) {
    return;
  }
  const auto r = decide(kLeaky + "ap Z = heat >= 10.5; prop P: all G !Z;", only(0, 0, 0, true));
  CHECK(r.verdict != Verdict::violated);
  if (r.verdict == Verdict::holds) {
    CHECK(r.engine == "Spacer");
    CHECK(r.cells >= 1);
  } else {
    CHECK_THAT(r.reason, Catch::Contains("Spacer"));
  }
}
