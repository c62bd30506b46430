#include "assay/verify/sampled.hpp"

#include <catch.hpp>

#include "assay/base/errors.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/resolve.hpp"
#include "deep_subject.hpp"

using namespace assay;
using namespace assay::verify;

namespace {

const char* kText = R"(spec "t" version 1;
class low = ids {0, 1};
ap A = tok = id 2;
ap Low = tok in low;
prop never: all G !A;
prop then: all G(A -> X Low);
prop soon: all F[0:1] Low;
prop some_a: some F A;
)";

SampledRun run_of(std::vector<std::size_t> tokens, bool over = false) {
  SampledRun run;
  run.prompt = {TokenId(0)};
  for (const std::size_t t : tokens) {
    run.tokens.emplace_back(t);
  }
  run.is_over = over;
  return run;
}

const SampledProperty& named(const SampleResult& result, const std::string& name) {
  for (const SampledProperty& p : result.properties) {
    if (p.name == name) {
      return p;
    }
  }
  throw std::runtime_error("no property " + name);
}

}  // namespace

TEST_CASE("a ledger of alpha is shared evenly, or as said, and never overdrawn") {
  test::DeepSubject subject(kText);
  SampleInput input = subject.input();
  input.alpha = {1, 100};
  CHECK(alpha_ledger(input) == std::map<std::string, Rational>{
                                   {"never", {1, 300}}, {"then", {1, 300}}, {"soon", {1, 300}}});
  input.split = {{"never", {1, 200}}};
  CHECK(alpha_ledger(input).at("then") == Rational{1, 400});
  input.split = {{"never", {1, 100}}};
  CHECK_THROWS_AS(alpha_ledger(input), UsageError);  // nothing is left for the others
  input.split = {{"never", {1, 200}}, {"then", {1, 200}}, {"soon", {1, 1000000}}};
  CHECK_THROWS_AS(alpha_ledger(input), UsageError);
  input.split = {{"never", {1, 200}}, {"then", {1, 300}}, {"soon", {1, 600}}};
  CHECK(alpha_ledger(input).size() == 3);  // to the last
  for (const auto& [name, share] : std::map<std::string, Rational>{
           {"nobody", {1, 200}}, {"some_a", {1, 200}}, {"never", {0, 1}}}) {
    input.split = {{name, share}};
    CHECK_THROWS_AS(alpha_ledger(input), UsageError);
  }
  input.split.clear();
  for (const Rational bad : {Rational{0, 1}, Rational{1, 1}, Rational{-1, 2}}) {
    input.alpha = bad;
    CHECK_THROWS_AS(alpha_ledger(input), UsageError);
  }
}

TEST_CASE("three verdicts of a run within the horizon") {
  test::DeepSubject subject(kText);
  SampleInput input = subject.input();
  input.max_new = 3;
  const std::vector<SampledRun> runs = {
      run_of({3, 3, 3}),  // never: open; then: open; soon: violated
      run_of({2, 3, 3}),  // never, then and soon: violated
      run_of({2, 1, 2}),  // never: violated; then: open; soon: holds
      run_of({0}, true),  // a run that is over: never and then hold
      run_of({2}, true),  // over: X is weak, then holds; soon fails at the end
      run_of({}, true),   // nothing was generated
  };
  input.runs = runs.size();
  const SampleResult result = count_runs(input, runs);
  const SampledProperty& never = named(result, "never");
  CHECK(never.violated == 3);
  CHECK(never.holds == 1);
  CHECK(never.open == 2);
  const SampledProperty& then = named(result, "then");
  CHECK(then.violated == 1);
  CHECK(then.holds == 2);
  CHECK(then.open == 3);
  const SampledProperty& soon = named(result, "soon");
  CHECK(soon.violated == 3);
  CHECK(soon.holds == 2);
  CHECK(soon.open == 1);
  CHECK_FALSE(named(result, "some_a").skipped.empty());
  CHECK(never.interval.lo == automata::clopper_pearson(3, 6, never.alpha).lo);
  CHECK(never.interval.hi == automata::clopper_pearson(3, 6, never.alpha).hi);
  CHECK_THROWS_AS(count_runs(input, {run_of({0})}), PreconditionError);  // not the plan's number
}

TEST_CASE("a near tie counts neither way") {
  test::DeepSubject subject(kText);
  SampleInput input = subject.input();
  input.max_new = 3;
  std::vector<SampledRun> runs = {run_of({2, 3, 3}), run_of({2, 3, 3}), run_of({0}, true)};
  input.runs = runs.size();
  CHECK(named(count_runs(input, runs), "never").violated == 2);  // the control
  runs[1].slack = kNearTie;
  CHECK(named(count_runs(input, runs), "never").violated == 2);
  runs[1].slack = kNearTie / 2;
  runs[2].slack = 0;
  const SampleResult result = count_runs(input, runs);
  const SampledProperty& never = named(result, "never");
  CHECK(never.violated == 1);
  CHECK(never.holds == 0);
  CHECK(never.undecided == 2);
  CHECK(never.counterexamples.size() == 1);
  CHECK(never.interval.lo == automata::clopper_pearson(1, 3, never.alpha).lo);
  CHECK(never.interval.hi == automata::clopper_pearson(3, 3, never.alpha).hi);
  CHECK(result.near_ties == 2);
}

TEST_CASE("a plan names everything it rests on") {
  test::DeepSubject subject(kText);
  SampleInput input = subject.input();
  const std::string plan = sampling_plan(input);
  CHECK(plan == sampling_plan(input));
  const auto differs = [&](auto&& change) {
    SampleInput other = subject.input();
    change(other);
    return sampling_plan(other) != plan;
  };
  CHECK(differs([](SampleInput& i) { i.seed = 2; }));
  CHECK(differs([](SampleInput& i) { i.runs = 3; }));
  CHECK(differs([](SampleInput& i) { i.max_new = 3; }));
  CHECK(differs([](SampleInput& i) { i.alpha = {1, 50}; }));
  CHECK(differs([](SampleInput& i) { i.emission = automata::Emission::parse("top-k:2"); }));
  CHECK(differs([](SampleInput& i) { i.prompts = PromptLaw::parse(R"({"list":[[1]]})", "p", 5); }));
  CHECK(differs([](SampleInput& i) { i.subject.properties = {"never"}; }));
  CHECK_FALSE(differs([](SampleInput& i) { i.threads = 7; }));
  CHECK_FALSE(differs([](SampleInput& i) { i.batch = 7; }));
}

TEST_CASE("prompts are drawn by the stated law") {
  const CounterRandom random(4);
  const auto count = [&](const std::string& json, auto&& event) {
    const PromptLaw law = PromptLaw::parse(json, "p", 5);
    std::size_t n = 0;
    for (std::uint64_t run = 0; run < 20000; ++run) {
      n += event(law.draw(random, run)) ? 1 : 0;
    }
    return static_cast<double>(n) / 20000;
  };
  using Prompt = std::vector<TokenId>;
  const std::string weighted = R"({"list":[[1],[2,2],[3]],"weights":[1,0,3]})";
  CHECK(count(weighted, [](const Prompt& p) { return p == Prompt{TokenId(1)}; }) ==
        Approx(0.25).margin(0.015));
  CHECK(count(weighted, [](const Prompt& p) { return p.size() == 2; }) == 0);
  const std::string product = R"({"tokens":[[0,1],[2],[0,3,4,1]]})";
  CHECK(count(product, [](const Prompt& p) { return p.size() == 3 && p[1] == TokenId(2); }) == 1);
  CHECK(count(product, [](const Prompt& p) { return p[0] == TokenId(1) && p[2] == TokenId(4); }) ==
        Approx(0.125).margin(0.012));
  const std::string any = R"({"any":true,"max_length":4})";
  CHECK(count(any, [](const Prompt& p) { return p.size() == 4; }) == Approx(0.25).margin(0.015));
  CHECK(count(any, [](const Prompt& p) { return p[0] == TokenId(3); }) ==
        Approx(0.2).margin(0.015));
  CHECK(PromptLaw::parse(weighted, "p", 5).longest() == 2);
  for (const char* bad : {R"({"list":[]})", R"({"list":[[]]})", R"({"list":[[5]]})",
                          R"({"list":[[1]],"weights":[0]})", R"({"list":[[1]],"weights":[1,1]})",
                          R"({"list":[[1]],"weights":[-1]})", R"({"list":[[1]],"weight":[1]})",
                          R"({"list":[[1]],"weights":[1.5]})", "[]", "{}"}) {
    CHECK_THROWS_AS(PromptLaw::parse(bad, "p", 5), Error);
  }
}
