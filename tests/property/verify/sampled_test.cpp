#include "assay/verify/sampled.hpp"

#include <catch.hpp>

#include "deep_subject.hpp"

using namespace assay;
using namespace assay::verify;

namespace {
const char* kText = R"(spec "t" version 1;
ap A = tok = id 2;
ap B = tok = id 3;
prop never: all G !A;
prop then: all G(A -> X !B);
)";
}  // namespace

TEST_CASE("the same bytes for any number of threads and runs side by side") {
  for (const std::size_t layers : {1, 3}) {
    const test::DeepSubject subject(kText, layers);
    for (const char* decoder : {"greedy", "min-p:0.1", "min-p:0.3:2:before", "top-k:2",
                                "top-p:0.8:1.5:before", "plain:0.7"}) {
      SampleInput input = subject.input();
      input.emission = automata::Emission::parse(decoder);
      input.runs = 61;
      const std::string expected = runs_jsonl(draw_runs(input), true);
      for (const auto& [threads, batch] :
           {std::pair<std::size_t, std::size_t>{1, 1}, {2, 7}, {3, 61}, {4, 100}}) {
        input.threads = threads;
        input.batch = batch;
        CHECK(runs_jsonl(draw_runs(input), true) == expected);
      }
      input.seed = 2;
      CHECK(runs_jsonl(draw_runs(input), true) != expected);
    }
  }
}

TEST_CASE("every counterexample of one layer replays, under every decoder") {
  const test::DeepSubject subject(kText, 1);
  for (const char* decoder :
       {"greedy", "min-p:0.1", "min-p:0.3:2:before", "top-k:2", "top-p:0.8", "plain"}) {
    SampleInput input = subject.input();
    input.emission = automata::Emission::parse(decoder);
    input.kept = 1000;
    std::size_t replayed = 0, all = 0;
    const SampleResult result = count_runs(input, draw_runs(input));
    for (const SampledProperty& p : result.properties) {
      REQUIRE(p.counterexamples.size() == p.violated);
      for (const Counterexample& c : p.counterexamples) {
        ++all;
        replayed += c.replayed ? 1 : 0;
        INFO(decoder << ": " << c.reason);
        CHECK((c.replayed || result.runs[c.run].slack < 1e-6));
      }
    }
    INFO(decoder);
    CHECK((all == 0 || replayed > 0));
  }
}

TEST_CASE("over many plans the interval misses the rate no more often than alpha says") {
  // The rate of the event under a plan of 40,000 runs stands for the true one; its own error is far below the intervals'.
  const test::DeepSubject subject(kText, 2);
  SampleInput input = subject.input();
  input.subject.properties = {"never"};
  input.max_new = 2;
  input.kept = 0;
  input.runs = 40000;
  const SampleResult truth = count_runs(input, draw_runs(input));
  const double rate = static_cast<double>(truth.properties[0].violated) / 40000;
  REQUIRE((rate > 0.05 && rate < 0.95));
  input.runs = 60;
  input.alpha = {1, 10};
  int missed = 0;
  constexpr int kPlans = 400;
  for (int plan = 0; plan < kPlans; ++plan) {
    input.seed = 1000 + static_cast<std::uint64_t>(plan);
    const SampledProperty p = count_runs(input, draw_runs(input)).properties[0];
    missed += rate * 1e6 < p.interval.lo || rate * 1e6 > p.interval.hi ? 1 : 0;
  }
  CHECK(missed <= 40 + 18);  // the expected number is at most 40; 3 standard deviations
  CHECK(missed > 0);         // an interval that never misses is not one at 1 - 1/10
}
