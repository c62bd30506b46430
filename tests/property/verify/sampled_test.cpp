#include "assay/verify/sampled.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <map>

#include "assay/automata/closure.hpp"
#include "assay/base/errors.hpp"
#include "assay/model/generation.hpp"

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

using Runs = std::map<std::vector<TokenId>, double>;

/// Every run of up to `length` tokens after the prompt, with its probability.
Runs exact_laws(const SampleInput& input, const std::vector<TokenId>& prompt, std::size_t length) {
  Runs out{{{}, 1.0}};
  for (std::size_t i = 0; i < length; ++i) {
    Runs next;
    for (const auto& [tokens, p] : out) {
      std::vector<TokenId> context = prompt;
      context.insert(context.end(), tokens.begin(), tokens.end());
      const TokenLaw law = token_law(input.emission.rule(), next_logits(*input.model, context));
      for (std::size_t j = 0; j < law.tokens.size(); ++j) {
        std::vector<TokenId> longer = tokens;
        longer.push_back(law.tokens[j]);
        next[longer] += p * law.probabilities[j];
      }
    }
    out = std::move(next);
  }
  return out;
}

bool older_tokens_allowed(const automata::ClosedGraph& graph, automata::ClosedGraph::Index state,
                          const std::vector<TokenId>& context) {
  constexpr std::size_t kKnown = automata::SuffixBounds::kKnown;
  if (!graph.has_far() || context.size() < kKnown) {
    return true;
  }
  const automata::FarTokens far = graph.far(state);  // of a vocabulary of one word
  bool allowed = context.size() - kKnown >= far.surely;
  for (std::size_t j = 0; j < far.sets.size() && j + kKnown < context.size(); ++j) {
    allowed = allowed && ((far.sets[j] >> context[context.size() - 1 - kKnown - j].at()) & 1U) != 0;
  }
  return allowed;
}
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

TEST_CASE("tokens come as often as their exact probabilities say") {
  for (const std::size_t layers : {1, 2}) {
    const test::DeepSubject subject(kText, layers);
    for (const char* decoder :
         {"min-p:0.1", "min-p:0.3:2:before", "top-k:3", "top-p:0.8", "plain:0.7"}) {
      SampleInput input = subject.input();
      input.emission = automata::Emission::parse(decoder);
      input.prompts = PromptLaw::parse(R"({"list":[[1,4]]})", "p", 5);
      input.runs = 20000;
      input.max_new = 2;
      std::map<std::vector<TokenId>, double> seen;
      for (const SampledRun& run : draw_runs(input)) {
        seen[run.tokens] += 1.0 / static_cast<double>(input.runs);
      }
      double total = 0;
      for (const auto& [tokens, p] : exact_laws(input, {TokenId(1), TokenId(4)}, 2)) {
        INFO(layers << " layers, " << decoder << ", p = " << p);
        CHECK(std::abs(seen[tokens] - p) <= 4.5 * std::sqrt(p * (1 - p) / 20000) + 1e-9);
        total += p;
        seen.erase(tokens);
      }
      CHECK(total == Approx(1).margin(1e-12));
      CHECK(seen.empty());  // nothing beyond the support
    }
  }
}

TEST_CASE("over many plans the interval misses the exact rate no more often than alpha says") {
  const test::DeepSubject subject(kText, 2);
  SampleInput input = subject.input();
  input.subject.properties = {"never"};
  input.max_new = 2;
  input.kept = 0;
  input.prompts = PromptLaw::parse(R"({"tokens":[[0,1,3],[1,4]]})", "p", 5);
  double rate = 0;  // of a run with token 2, prompts alike
  for (const std::size_t first : {0, 1, 3}) {
    for (const std::size_t second : {1, 4}) {
      for (const auto& [tokens, p] : exact_laws(input, {TokenId(first), TokenId(second)}, 2)) {
        rate += std::count(tokens.begin(), tokens.end(), TokenId(2)) > 0 ? p / 6 : 0;
      }
    }
  }
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

TEST_CASE("what was drawn before an interruption is the beginning of the same plan") {
  const test::DeepSubject subject(kText, 2);
  SampleInput input = subject.input();
  input.runs = 61;
  input.batch = 7;
  const std::vector<SampledRun> all = draw_runs(input);
  for (const std::size_t begun : {0, 1, 7, 60, 61}) {
    CHECK(continue_runs(input, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begun)}) ==
          all);
  }
  CHECK_THROWS_AS(continue_runs(input, std::vector<SampledRun>(62)), PreconditionError);
}

TEST_CASE("every step that is drawn is an edge of the closed machine, with its predecessor sets") {
  const test::DeepSubject subject(kText, 1);
  std::size_t steps = 0, absent = 0;
  for (const char* decoder : {"greedy", "min-p:0.1", "min-p:0.3:2:before", "top-k:2"}) {
    SampleInput input = subject.input();
    input.emission = automata::Emission::parse(decoder);
    input.prompts = PromptLaw::parse(R"({"tokens":[[0,1,3],[1,4]]})", "p", 5);
    input.runs = 300;
    input.max_new = 12;
    const Transformer& model = *input.subject.model;
    const automata::SuffixBounds bounds(model, input.emission);
    const auto ids = [](std::initializer_list<std::size_t> list) {
      std::vector<TokenId> out;
      for (const std::size_t t : list) {
        out.emplace_back(t);
      }
      return out;
    };
    const automata::ClosureResult closed =
        automata::close_forward(bounds, {{ids({0, 1, 3}), ids({1, 4})}}, {});
    REQUIRE(closed.graph.complete());
    absent += closed.graph.size() * 5 - closed.graph.counts().possible;
    for (const SampledRun& run : draw_runs(input)) {
      if (run.slack < 1e-6) {
        continue;  // beside the cut REAL arithmetic may not emit what doubles do
      }
      std::vector<TokenId> context = run.prompt;
      for (const TokenId token : run.tokens) {
        const auto state = closed.graph.find(closed.graph.codes().encode(context));
        REQUIRE(state.has_value());
        const auto edges = closed.graph.edges(*state);
        CHECK(std::any_of(edges.begin(), edges.end(),
                          [&](auto e) { return (e >> 1U) == token.at(); }));
        CHECK(older_tokens_allowed(closed.graph, *state, context));
        context.push_back(token);
        ++steps;
      }
    }
  }
  CHECK(steps > 5000);
  CHECK(absent > 0);  // a machine with every edge would contain everything
}
