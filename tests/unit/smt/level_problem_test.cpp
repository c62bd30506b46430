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

TEST_CASE("level problems: Spacer with Z3's own options ends within its limit on a leaky sum") {
  if (solver_version() == "none") {
    return;
  }
  LevelLimits limits;
  limits.seconds = 3;
  limits.careless = true;
  const Clock::time_point begin = Clock::now();
  const LevelAnswer answer = find_level_invariant(leaky(), limits);
  CHECK(answer.invariant.empty());
  CHECK_FALSE(answer.detail.empty());
  CHECK(Clock::now() - begin < std::chrono::seconds(10));
  CHECK(children() == 0);
}
