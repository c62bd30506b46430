#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "assay/smt/invariant.hpp"
#include "assay/smt/level_problem.hpp"
#include "catch.hpp"

using namespace assay::smt;

namespace {

using Clock = std::chrono::steady_clock;

/// One control and a bad one; heat' = 0.9 heat or 0.9 heat + 1, bad from 10 on.
LevelProblem leaky() {
  LevelProblem p;
  p.initial = {"0"};
  p.controls = 2;
  p.start = {0};
  p.bad = {false, true};
  for (const bool up : {false, true}) {
    const std::string room = up ? "9" : "10";  // of 9/10 heat
    const LevelProblem::Form next{{{0, "9/10"}}, up ? "1" : "0"};
    p.steps.push_back({0, 1, {{{{0, "-9/10"}}, "-" + room, false}}, {next}});
    p.steps.push_back({0, 0, {{{{0, "9/10"}}, room, true}}, {next}});
  }
  return p;
}

std::size_t children() {
  std::size_t out = 0;
  const std::string path =
      "/proc/" + std::to_string(::getpid()) + "/task/" + std::to_string(::getpid()) + "/children";
  if (FILE* file = std::fopen(path.c_str(), "r")) {
    int pid = 0;
    while (std::fscanf(file, "%d", &pid) == 1) {
      ++out;
    }
    std::fclose(file);
  }
  return out;
}

}  // namespace

TEST_CASE("level problems: bounded search names steps that lead to a bad control") {
  if (solver_version() == "none") {
    CHECK(find_level_run(leaky(), {}).detail == "built without Z3");
    return;
  }
  LevelLimits limits;
  limits.depth = 8;
  const LevelAnswer none = find_level_run(leaky(), limits);
  CHECK(none.run.empty());
  CHECK(none.detail == "no run of at most 8 letters");
  LevelProblem p = leaky();
  p.steps[2].conditions[0].bound = "-2";  // 9/10 heat >= 2: after three ones
  p.steps[3].conditions[0].bound = "2";
  const LevelAnswer found = find_level_run(p, limits);
  REQUIRE(found.run.size() == 4);
  CHECK(found.run.back() == 2);
  limits.steps = 1;
  CHECK_THAT(find_level_run(p, limits).detail, Catch::Contains("not asked"));
}

TEST_CASE("level problems: what Spacer says of a leaky sum is rows over its levels") {
  if (solver_version() == "none") {
    CHECK(find_level_invariant(leaky(), {}).detail == "built without Z3");
    return;
  }
  for (const bool careless : {false, true}) {
    LevelLimits limits;
    limits.careless = careless;
    const LevelAnswer answer = find_level_invariant(leaky(), limits);
    REQUIRE(answer.invariant.size() == 1);
    CHECK(answer.invariant[0].control == 0);
    REQUIRE(answer.invariant[0].rows.size() == 1);
    CHECK(answer.invariant[0].rows[0].terms == LevelProblem::Terms{{0, "1"}});
    CHECK(answer.invariant[0].rows[0].bound == "10");
    CHECK(answer.invariant[0].rows[0].strict);
  }
}

TEST_CASE(
    "level problems: a search without end ends at its limits, the same each time, and leaves no "
    "child") {
  if (solver_version() == "none") {
    return;
  }
  // a point that turns by an angle that no full turn is a multiple of; no polygon around it is kept
  LevelProblem turning;
  turning.initial = {"1", "0"};
  turning.controls = 2;
  turning.start = {0};
  turning.bad = {false, true};
  const std::vector<LevelProblem::Form> next = {{{{0, "3/5"}, {1, "-4/5"}}, "0"},
                                                {{{0, "4/5"}, {1, "3/5"}}, "0"}};
  turning.steps = {{0, 0, {{{{0, "1"}}, "5/4", false}}, next},
                   {0, 1, {{{{0, "-1"}}, "-5/4", true}}, next}};
  LevelLimits limits;
  limits.resources = 1000000;
  const LevelAnswer first = find_level_invariant(turning, limits);
  CHECK(first.invariant.empty());
  CHECK_THAT(first.detail, Catch::Contains("resource"));
  CHECK(find_level_invariant(turning, limits).detail == first.detail);
  CHECK(children() == 0);
  limits.resources = 4000000000U;
  limits.seconds = 1;
  const Clock::time_point begin = Clock::now();
  const LevelAnswer late = find_level_invariant(turning, limits);
  CHECK(late.invariant.empty());
  CHECK_FALSE(late.detail.empty());
  CHECK(Clock::now() - begin < std::chrono::seconds(20));
  CHECK(children() == 0);
}
