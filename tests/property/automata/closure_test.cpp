// CLOSURE and PREDECESSORS against the exact machine over windows: every concrete step of every run is an
// edge of the closed graph, its older tokens in the predecessor sets; the safety product misses no bad run.
#include <set>

#include "assay/automata/closure_files.hpp"
#include "assay/automata/closure_safety.hpp"
#include "assay/automata/containment.hpp"
#include "assay/bounds/concrete.hpp"
#include "catch.hpp"
#include "random_automaton.hpp"
#include "random_subject.hpp"

using namespace assay;
using automata::ClosedGraph;
using automata::Emission;

namespace {

constexpr const char* kDecoders[] = {"greedy", "min-p:0.5", "min-p:0.3:2:before", "top-k:1"};

Transformer small_model(std::uint64_t seed, std::size_t V, std::size_t w) {
  Transformer model = test::random_model(V, w, 8, seed);
  for (float& x : model.W_U.data) {
    x *= 2;
  }
  for (std::size_t j = 3; j < w; ++j) {
    model.rel_bias.data[j] -= static_cast<float>(seed % 4);
    model.rel_bias.data[w + j] -= seed % 2 == 0 ? 70.0F : 1.0F;
  }
  return model;
}

std::vector<automata::PromptEnd> drawn_prompts(std::size_t V, std::size_t w, Random& random) {
  std::vector<automata::PromptEnd> ends;
  for (std::size_t k = 0; k < 1 + random.below(2); ++k) {
    automata::PromptEnd end;
    for (std::size_t n = 1 + random.below(w); n > 0; --n) {
      std::vector<TokenId> set{TokenId(random.below(V))};
      if (random.below(3) == 0 && set[0].at() + 1 < V) {
        set.emplace_back(set[0].at() + 1);
      }
      end.push_back(set);
    }
    ends.push_back(end);
  }
  return ends;
}

/// Every window that a run can be in, and what can be emitted there (ties kept).
class Runs {
 public:
  Runs(const Transformer& model, const Emission& emission,
       const std::vector<automata::PromptEnd>& prompts) {
    for (const automata::PromptEnd& end : prompts) {
      std::vector<std::vector<TokenId>> all{{}};
      for (const auto& set : end) {
        std::vector<std::vector<TokenId>> next;
        for (const auto& prefix : all) {
          for (const TokenId t : set) {
            next.push_back(prefix);
            next.back().push_back(t);
          }
        }
        all = next;
      }
      initial.insert(all.begin(), all.end());
    }
    std::vector<std::vector<TokenId>> todo(initial.begin(), initial.end());
    while (!todo.empty()) {
      const std::vector<TokenId> window = todo.back();
      todo.pop_back();
      if (steps.contains(window)) {
        continue;
      }
      std::vector<double> lo, hi;
      for (const Interval l : bounds::enclose(model, window).logits) {
        lo.push_back(l.lo);
        hi.push_back(l.hi);
      }
      std::vector<automata::Edge> kinds(lo.size());
      emission.decide(lo, hi, kinds);
      for (std::size_t t = 0; t < kinds.size(); ++t) {
        if (kinds[t] != automata::Edge::absent) {
          steps[window].emplace_back(t);
          todo.push_back(after(window, TokenId(t), model.config.attention_window));
        }
      }
    }
  }
  static std::vector<TokenId> after(std::vector<TokenId> window, TokenId t, std::size_t w) {
    window.push_back(t);
    if (window.size() > w) {
      window.erase(window.begin());
    }
    return window;
  }

  std::set<std::vector<TokenId>> initial;
  std::map<std::vector<TokenId>, std::vector<TokenId>> steps;
};

bool has_edge(const ClosedGraph& graph, ClosedGraph::Index state, TokenId token) {
  for (const ClosedGraph::Edge e : graph.edges(state)) {
    if ((e >> 1U) == token.at()) {
      return graph.find(graph.codes().append(graph.state(state), token.at())).has_value();
    }
  }
  return false;
}

void check_contains(const ClosedGraph& graph, const Runs& runs, std::size_t V) {
  for (const auto& [window, tokens] : runs.steps) {
    const auto state = graph.find(graph.codes().encode(window));
    REQUIRE(state.has_value());
    for (const TokenId t : tokens) {
      REQUIRE(has_edge(graph, *state, t));
    }
    if (graph.has_far() && window.size() >= 3) {
      const automata::FarTokens far = graph.far(*state);
      const std::size_t words = automata::FarTokens::words(V);
      CHECK(window.size() - 3 >= far.surely);
      for (std::size_t j = 0; j + 3 < window.size(); ++j) {
        const std::size_t t = window[window.size() - 4 - j].at();
        CHECK(((far.sets[j * words + t / 64] >> (t % 64)) & 1U) == 1);
      }
    }
  }
}

}  // namespace

TEST_CASE("closure: contains every step of every run, with and without predecessor sets") {
  Random random(11);
  std::size_t possible = 0, before = 0, real = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::size_t V = 2 + seed % 4, w = 3 + seed % 4;
    const Transformer model = small_model(seed, V, w);
    const Emission emission = Emission::parse(kDecoders[seed % std::size(kDecoders)]);
    const auto prompts = drawn_prompts(V, w, random);
    const Runs runs(model, emission, prompts);
    const automata::SuffixBounds bounds(model, emission);
    automata::ClosureOptions options;
    options.rounds = 2;
    options.threads = 1 + seed % 3;
    const automata::ClosureResult result = automata::close_forward(bounds, prompts, options);
    REQUIRE(result.graph.complete());
    check_contains(result.graph, runs, V);
    CHECK(result.earlier.size() == (w > 3 ? 2U : 0U));
    for (const ClosedGraph& earlier : result.earlier) {
      check_contains(earlier, runs, V);
      CHECK(earlier.counts().possible >= result.graph.counts().possible);
      before += earlier.counts().possible;
      break;
    }
    possible += w > 3 ? result.graph.counts().possible : 0;
    std::set<std::pair<automata::WindowCode, std::size_t>> taken;
    for (const auto& [window, tokens] : runs.steps) {
      for (const TokenId t : tokens) {
        taken.emplace(bounds.codes().encode(window), t.at());
      }
    }
    real += w > 3 ? taken.size() : 0;
  }
  CHECK(possible < before);  // the descending round excludes something
  CHECK(real <= possible);
}

TEST_CASE("closure: the same graph on any number of threads; a budget leaves it incomplete") {
  const Transformer model = small_model(3, 5, 6);
  const automata::SuffixBounds bounds(model, Emission::parse("min-p:0.3"));
  const std::vector<automata::PromptEnd> prompts{{{TokenId(0U)}, {TokenId(1U), TokenId(2U)}}};
  automata::ClosureOptions one, three, few;
  three.threads = 3;
  few.states = 2;
  const auto a = automata::close_forward(bounds, prompts, one);
  const auto b = automata::close_forward(bounds, prompts, three);
  CHECK(automata::edges_text(a.graph) == automata::edges_text(b.graph));
  const auto c = automata::close_forward(bounds, prompts, few);
  CHECK_FALSE(c.graph.complete());
  CHECK(c.graph.stopped().find("budget of 2 states") != std::string::npos);
  CHECK(automata::edges_text(c.graph).find("incomplete") != std::string::npos);
}

TEST_CASE(
    "containment: sampled runs lie in the graph; a graph of another decoder raises the alarm") {
  std::size_t alarms = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Transformer model = small_model(seed, 4, 5);
    const std::vector<automata::PromptEnd> prompts{{{TokenId(0U)}, {TokenId(1U), TokenId(2U)}}};
    const Emission greedy = Emission::parse("greedy"), wide = Emission::parse("min-p:0.01");
    const automata::SuffixBounds bounds(model, greedy);
    const auto closed = automata::close_forward(bounds, prompts, {});
    const auto own = automata::contains_samples(model, greedy, closed.graph, prompts, {});
    CHECK_FALSE(own.alarm.has_value());
    CHECK(own.steps == own.runs * 64);
    const auto other = automata::contains_samples(model, wide, closed.graph, prompts, {});
    alarms += other.alarm.has_value() ? 1 : 0;
  }
  CHECK(alarms == 6);
}

TEST_CASE("closure safety: no bad run is missed, and the path is one of the graph") {
  std::size_t safe = 0, bad = 0;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const std::size_t V = 5, w = 3 + seed % 3;
    const Transformer model = small_model(seed, V, w);
    const Emission emission = Emission::parse("min-p:0.6");
    const std::vector<automata::PromptEnd> prompts{{{TokenId(0U)}, {TokenId(seed % V)}}};
    const automata::SuffixBounds bounds(model, emission);
    const auto closed = automata::close_forward(bounds, prompts, {});
    const spec::Dfa dfa = spec::bad_prefix_dfa(test::parsed("G !(a & X b)"));
    std::vector<automata::Letter> letters(V);  // ap a = id 1, b = id 2, c = id 3
    for (std::size_t i = 0; i < 3; ++i) {
      letters[i + 1].must = letters[i + 1].may = std::uint64_t{1} << i;
    }
    const automata::ClosureSafety safety = automata::check_safety(closed.graph, dfa, letters);
    const Runs runs(model, emission, prompts);
    bool real = false;
    for (const auto& [window, tokens] : runs.steps) {
      // token 1 was emitted, not part of the prompt, when the window is no prompt
      real = real || (window.back() == TokenId(1U) && !runs.initial.contains(window) &&
                      std::count(tokens.begin(), tokens.end(), TokenId(2U)) > 0);
    }
    CHECK((!real || safety.bad_reachable));
    CHECK(safety.bad_reachable == !safety.bad_edges.empty());
    safe += safety.bad_reachable ? 0 : 1;
    bad += safety.bad_reachable ? 1 : 0;
    ClosedGraph::Index at = safety.path_start;
    for (const TokenId t : safety.path) {
      REQUIRE(has_edge(closed.graph, at, t));
      at = closed.graph.target(at, t.at());
    }
    // An atom that is not decided counts both ways.
    for (automata::Letter& letter : letters) {
      letter = {0, 7};
    }
    CHECK(automata::check_safety(closed.graph, dfa, letters).bad_reachable);
  }
  CHECK(safe > 0);
  CHECK(bad > 0);
}
