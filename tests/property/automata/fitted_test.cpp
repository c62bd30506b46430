#include <cmath>
#include <set>

#include "assay/automata/fit.hpp"
#include "assay/automata/sampler.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/model/forward.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

struct Subject {
  std::vector<Document> documents = test::random_documents(40);
  Tokenizer tokenizer = Tokenizer::characters(test::all_text(documents));
  Transformer model = test::random_model(tokenizer.size());
  Sae sae = test::random_transcoder(model);
  spec::Spec spec;
  FitInput input;

  Subject() {
    set_progress(false);
    spec.name = "s";
    spec.version = 1;
    spec.uses = {{"sae", "S", "sae", sae.weights_digest, {}}};
    spec.classes.push_back(
        {"Tags", spec::TokenClass::Form::ids, {}, {TokenId(1), TokenId(4), TokenId(5)}, {}});
    spec::Atom tag, on;
    tag.name = "Tag";
    tag.subject = "Tags";
    on.name = "On";
    on.kind = spec::Atom::Kind::feature;
    on.subject = "S";
    on.feature = FeatureId(2);
    on.threshold = {1, 1};
    on.band = {1, 4};
    spec.atoms = {tag, on};
    input.model = &model;
    input.sae = &sae;
    input.tokenizer = &tokenizer;
    input.documents = &documents;
    input.specs = {&spec};
    input.runs = 60;
    input.max_new = 20;
  }
};

/// One letter by the definition: slow, one forward pass a position, no shared code but forward.
std::pair<std::uint64_t, std::uint64_t> letter_at(const Subject& s,
                                                  const std::vector<TokenId>& tokens,
                                                  std::size_t at) {
  const std::vector<TokenId> context(tokens.begin(),
                                     tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  const bool tag = tokens[at] == TokenId(1) || tokens[at] == TokenId(4) || tokens[at] == TokenId(5);
  const Matrix values = features::feature_values(s.model, s.sae, context);
  const double v = values.at(at, 2);
  const bool yes = v > 1.25, no = v < 0.75;
  return {(tag ? 1U : 0U) + (yes ? 2U : 0U), (tag ? 1U : 0U) + (no ? 0U : 2U)};
}

}  // namespace

TEST_CASE("the sampler's logits equal the reference's") {
  Random random(5);
  for (const std::size_t window : {std::size_t{0}, std::size_t{1}, std::size_t{4}}) {
    Transformer model = test::random_model(12, window, 8, window + 1);
    for (const PosKind positions : {PosKind::relative, PosKind::rotary}) {
      model.config.positions = positions;
      model.config.rotary_dim = positions == PosKind::rotary ? 4 : 0;
      const Sampler sampler(model);
      for (int i = 0; i < 40; ++i) {
        std::vector<TokenId> context;
        for (std::size_t n = 1 + random.below(14); n > 0; --n) {
          context.emplace_back(random.below(12));
        }
        const auto fast = sampler.next_logits(context), slow = next_logits(model, context);
        REQUIRE(fast.size() == slow.size());
        for (std::size_t t = 0; t < fast.size(); ++t) {
          CHECK(std::fabs(fast[t] - slow[t]) < 1e-9);
        }
      }
    }
  }
}

TEST_CASE("counts add up, every sampled step is an edge, first visits are within counts") {
  Subject s;
  const FitResult r = fit_automaton(s.input);
  const FittedAutomaton& a = r.automaton;
  std::uint64_t letters = 0, steps = 0, initial = 0, edge_counts = 0;
  for (const auto& sample : a.samples) {
    letters += sample.size() - s.input.prompt_length;
    steps += sample.size() - s.input.prompt_length - 1;
  }
  std::uint64_t visits = 0;
  for (const FittedState& state : a.states) {
    visits += state.count;
    CHECK((state.must & ~state.may) == 0);
  }
  for (const auto& entry : a.initial) {
    initial += entry.second;
  }
  for (const FittedEdge& edge : a.edges) {
    edge_counts += edge.count;
  }
  CHECK(visits == letters);
  CHECK(edge_counts == steps);
  CHECK(initial == a.runs);
  CHECK(a.runs == 60);
  CHECK(a.samples.size() == a.runs);
  REQUIRE(r.first_visits.size() == a.edges.size());
  for (std::size_t i = 0; i < a.edges.size(); ++i) {
    const FirstVisits& f = r.first_visits[i];
    CHECK(f.taken <= a.edges[i].count);
    CHECK(f.taken <= f.visits);
    CHECK(f.visits <= a.runs);
    CHECK(f.interval.lo * f.visits <= f.taken * 1000000);
    CHECK(f.interval.hi * f.visits >= f.taken * 1000000);
  }
}

TEST_CASE("containment: the letters of every sample, read anew, are a path of the automaton") {
  Subject s;
  const FitResult r = fit_automaton(s.input);
  const FittedAutomaton& a = r.automaton;
  std::set<std::pair<StateId, StateId>> edges;
  for (const FittedEdge& edge : a.edges) {
    edges.insert({edge.from, edge.to});
  }
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const auto& tokens = a.samples[i];
    CHECK(std::equal(a.prompts[a.sample_prompts[i]].begin(), a.prompts[a.sample_prompts[i]].end(),
                     tokens.begin()));
    std::set<StateId> here;
    for (const auto& entry : a.initial) {
      here.insert(entry.first);
    }
    for (std::size_t at = s.input.prompt_length; at < tokens.size(); ++at) {
      const auto [must, may] = letter_at(s, tokens, at);
      std::erase_if(here, [&](StateId q) {
        return a.states[q.at()].must != must || a.states[q.at()].may != may;
      });
      REQUIRE(!here.empty());
      if (at + 1 < tokens.size()) {
        std::set<StateId> next;
        for (const auto& [from, to] : edges) {
          if (here.contains(from)) {
            next.insert(to);
          }
        }
        here = std::move(next);
      }
    }
  }
}

TEST_CASE("the same seed gives the same bytes, another seed others; the cap merges features") {
  Subject s;
  const FitResult first = fit_automaton(s.input), again = fit_automaton(s.input);
  CHECK(fit_json(first) == fit_json(again));
  CHECK(samples_jsonl(first.automaton) == samples_jsonl(again.automaton));
  CHECK(automaton_json(parse_automaton(fit_json(first), "f")) == automaton_json(first.automaton));
  s.input.max_states = 12;
  const FitResult capped = fit_automaton(s.input);
  CHECK(capped.automaton.states.size() < first.automaton.states.size());
  CHECK(capped.merged_features > 0);
  CHECK(capped.automaton.samples == first.automaton.samples);
  s.input.seed = 2;
  CHECK(fit_json(fit_automaton(s.input)) != fit_json(first));
}

TEST_CASE("options that cannot be used are refused") {
  Subject s;
  s.input.runs = 0;
  CHECK_THROWS_AS(fit_automaton(s.input), UsageError);
  s.input.runs = 10;
  s.input.prompt_length = 5000;
  CHECK_THROWS_AS(fit_automaton(s.input), InputError);
}

TEST_CASE("binomial tails enclose the sums, and Clopper-Pearson covers") {
  for (const std::uint64_t n : {1U, 2U, 7U, 25U}) {
    for (int step = 1; step < 20; ++step) {
      const double p = step / 20.0;
      double covered = 0, tail = 0;
      for (std::uint64_t k = n + 1; k-- > 0;) {
        const auto kd = static_cast<double>(k), nd = static_cast<double>(n);
        const double term =
            std::exp(std::lgamma(nd + 1) - std::lgamma(kd + 1) - std::lgamma(nd - kd + 1) +
                     kd * std::log(p) + (nd - kd) * std::log1p(-p));
        tail += term;
        const Interval enclosed = binomial_tail(n, k, Interval(p));
        CHECK(enclosed.lo <= tail * (1 + 1e-12));
        CHECK(enclosed.hi >= tail * (1 - 1e-12));
        CHECK(enclosed.width() < 1e-11);
        const Proportion ci = clopper_pearson(k, n, {1, 10});
        covered += ci.lo <= p * 1e6 && p * 1e6 <= ci.hi ? term : 0;
      }
      CHECK(covered >= 0.9 - 1e-12);
    }
  }
  const Interval extreme = binomial_tail(5000, 4999, Interval(1e-6));
  CHECK(extreme.lo >= 0);
  CHECK(extreme.hi < 1e-300);
}
