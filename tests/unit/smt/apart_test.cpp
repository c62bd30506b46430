#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "../../../src/smt/apart.hpp"
#include "catch.hpp"

using namespace assay::smt;

TEST_CASE("apart: an answer comes back, and whatever happens to the child is unknown") {
  const SecondOpinion good = run_apart(
      [] {
        return SecondOpinion{Opinion::disagree, 7, "step from pair 3"};
      },
      60);
  CHECK(good.opinion == Opinion::disagree);
  CHECK(good.obligations == 7);
  CHECK(good.detail == "step from pair 3");
  const auto lost = [](auto work, const char* words, int seconds = 60) {
    const SecondOpinion said = run_apart(work, seconds);
    CHECK(said.opinion == Opinion::unknown);
    CHECK_THAT(said.detail, Catch::Contains(words));
  };
  lost(
      []() -> SecondOpinion {
        ::raise(SIGKILL);
        return {};
      },
      "died (signal 9)");
  lost([]() -> SecondOpinion { throw std::runtime_error("no memory"); }, "no memory");
  lost([]() -> SecondOpinion { ::_exit(0); }, "answered nothing");
  lost(
      []() -> SecondOpinion {
        ::sleep(30);
        return {};
      },
      "longer than 1 s", 1);
}

TEST_CASE("an invariant without a read initial letter, with settled states and steps") {
  if (solver_version() == "none") {
    return;
  }
  InvariantProblem
      p;  // 0 -> 1 -> 2 -> 2; the letter is shown at 2 only; q1 once it is read, never bad
  p.atoms = 1;
  p.states = {{0, 0}, {0, 0}, {1, 1}};
  p.initial = {0};
  p.edges = {{0, 1}, {1, 2}, {2, 2}};
  p.monitor = {0, 1, 1, 1};
  p.bad = {false, false};
  p.reads_initial = false;
  p.invariant = {{0, 0}, {1, 0}};
  CHECK(check_invariant(p).opinion == Opinion::disagree);  // (2, q1) is missing
  p.settled = {false, true};
  CHECK(check_invariant(p).opinion == Opinion::agree);
  CHECK(check_invariant_apart(p).opinion == Opinion::agree);
  p.settled.clear();
  p.steps = {0, 1};
  p.horizon = 1;
  CHECK(check_invariant(p).opinion == Opinion::agree);  // runs end before 2
  p.horizon = 2;
  CHECK(check_invariant(p).opinion == Opinion::disagree);
  p.invariant.emplace_back(2, 1);
  p.steps.push_back(2);
  CHECK(check_invariant(p).opinion == Opinion::agree);
  p.steps = {0, 2, 2};
  CHECK(check_invariant(p).opinion == Opinion::disagree);  // 1 is reached at step 1
  p.steps = {1, 1, 2};
  CHECK(check_invariant(p).opinion == Opinion::disagree);  // a prompt stands at step 0
  std::size_t dumped = 0;
  Limits limits;
  limits.dump = [&](const std::string&, const std::string& text) {
    dumped += text.find("(check-sat)") != std::string::npos ? 1 : 0;
  };
  p.steps = {0, 1, 2};
  const SecondOpinion said = check_invariant(p, limits);
  CHECK(said.opinion == Opinion::agree);
  CHECK(dumped == said.obligations);
}
