#include "assay/verify/given.hpp"

#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using Verdict = verify::GivenResult::Verdict;

namespace {

/// Two states: a at 0 -> 1, then b for ever or c once and back; ap c is never true with b.
const std::string kMachine = R"(HOA: v1 States: 4 Start: 0 AP: 3 "a" "b" "c" Acceptance: 0 t
--BODY--
State: 0 [0 & !1 & !2] 1
State: 1 [!0 & 1 & !2] 1 [!0 & 2 & !1] 0 [0 & 1] 3
State: 2 [t] 2
State: 3
--END--
)";

verify::GivenResult check(const std::string& claim, const std::string& machine = kMachine) {
  const auto spec = spec::parse_spec(
      "spec \"t\" version 1; ap a = tok = id 0; ap b = tok = id 1; ap c = tok = id 2; ap u = role "
      "= "
      "user; prop P: " +
          claim + ";",
      "x");
  return verify::check_given(spec, automata::parse_hoa(machine, "m.hoa"), {})[0];
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("a given machine decides safety, and says what it cannot decide") {
  REQUIRE(check("all G !(b & c)").verdict == Verdict::holds);
  REQUIRE(check("all G(c -> Y O a)").verdict == Verdict::holds);
  REQUIRE(check("all precedes(a, b)").verdict == Verdict::holds);
  REQUIRE(check("all G(c -> X a)").verdict == Verdict::holds);
  REQUIRE(check("all G(a -> F[0:3] c)").verdict == Verdict::violated);
  REQUIRE(check("all F c").verdict == Verdict::violated);
  REQUIRE(check("all F c").loop == 1);  // b for ever
  REQUIRE(check("all F a").verdict == Verdict::holds);
  REQUIRE(check("all F(b | c)").verdict == Verdict::holds);
  REQUIRE(check("some F c").verdict == Verdict::holds);
  REQUIRE(check("some F (b & c)").verdict == Verdict::violated);
  REQUIRE(check("some G b").verdict == Verdict::violated);
  REQUIRE(check("some F G b").verdict == Verdict::holds);
  REQUIRE(check("Pmax <= 0.1 [F c]").verdict == Verdict::unknown);
  REQUIRE(check("all G !c assume G !c").verdict == Verdict::unknown);
  REQUIRE(check("all G !c assume G !c").reason.find("valid by itself") != std::string::npos);
  REQUIRE(check("all G !c assume false").verdict == Verdict::unknown);
  REQUIRE(check("some b & !b").verdict == Verdict::unknown);
  REQUIRE(check("some b & !b").reason.find("no run can satisfy it") != std::string::npos);
  // an assumption that no run of the machine satisfies: it holds, and plays no part
  REQUIRE(check("all G !c assume b & c").verdict == Verdict::holds);
  REQUIRE(!check("all G !c assume b & c").vacuous.empty());
  REQUIRE(check("all G(c -> X a)").vacuous.empty());
  REQUIRE(check("all absent(b) from c").verdict == Verdict::violated);
}

TEST_CASE("the run that decides is a shortest one of the machine") {
  const auto result = check("all G !c");
  REQUIRE(result.verdict == Verdict::violated);
  REQUIRE(result.run.size() == 2);
  REQUIRE(result.run[0].state == 1);
  REQUIRE(result.run[1].state == 0);
  REQUIRE(result.aps == std::vector<std::string>{"c"});
  REQUIRE(result.run[1].letter == 1);
}

TEST_CASE("what no run does is not a violation: deadlocks, states without acceptance") {
  // state 3 is reached with a & b, and has no way on
  REQUIRE(check("all G !(a & b)").verdict == Verdict::holds);
  REQUIRE(check("all G !(a & b)", replaced(kMachine, "State: 3\n", "State: 3 [t] 3\n")).verdict ==
          Verdict::violated);
  // Büchi: only what returns to state 0 for ever is a run, but its prefixes may dwell in 1
  const std::string buchi =
      replaced(replaced(kMachine, "0 t", "1 Inf(0)"), "State: 0", "State: 0 {0}");
  REQUIRE(check("all G(a -> F[0:3] c)", buchi).verdict == Verdict::violated);
  REQUIRE(check("all G !(a & b)", replaced(buchi, "State: 3\n", "State: 3 [t] 3\n")).verdict ==
          Verdict::holds);
}

TEST_CASE("finite runs are decided for every formula") {
  const std::string finite =
      replaced(replaced(kMachine, "0 t", "1 Inf(0) Finite-words: t"), "State: 0", "State: 0 {0}");
  REQUIRE(check("all F c", finite).verdict == Verdict::holds);
  REQUIRE(check("all last -> c", finite).verdict == Verdict::holds);
  REQUIRE(check("all G(a -> F c)", finite).verdict == Verdict::holds);
  REQUIRE(check("all X X X a", finite).verdict == Verdict::violated);
  REQUIRE(check("some G !b", finite).verdict == Verdict::holds);
}

TEST_CASE("a machine that cannot answer is refused by name") {
  const auto error = [](const std::string& claim, const std::string& machine) -> std::string {
    try {
      (void)check(claim, machine);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  };
  REQUIRE(error("all G !u", kMachine).find("ap u of property P") == 0);
  REQUIRE(error("all G !a", replaced(kMachine, "Start: 0", "Start: 3")).find("has no run") !=
          std::string::npos);
  REQUIRE(error("all G !a", replaced(kMachine, "Start: 0", "")).find("has no run") !=
          std::string::npos);
  REQUIRE(
      error("all G !a", replaced(kMachine, "[0 & !1 & !2] 1", "[0 & !0] 1")).find("has no run") !=
      std::string::npos);
}
