// Liveness and `some` on the exact machine against a second, dumb program: every lasso of a small
// random graph, the formula read by its definition.
#include <algorithm>
#include <functional>

#include "../../unit/verify/bigram.hpp"
#include "../spec/ltlf_words.hpp"
#include "assay/base/errors.hpp"
#include "assay/verify/exact.hpp"
#include "catch.hpp"
#include "lasso_words.hpp"

using namespace assay;
using test::LassoWord;

namespace {

constexpr std::size_t kTokens = 4;
using Graph = std::vector<std::vector<int>>;

Graph random_graph(Random& random) {
  Graph next(kTokens, std::vector<int>(kTokens, 0));
  for (auto& row : next) {
    for (std::size_t k = 0; k < 1 + random.below(2); ++k) {
      row[random.below(kTokens)] = 1;
    }
  }
  return next;
}

/// Letters of the atoms tok = id 0, tok = id 1, tok in {1, 2}.
std::uint64_t letter(std::size_t token) {
  return (token == 0 ? 1U : 0U) | (token == 1 ? 2U : 0U) | (token == 1 || token == 2 ? 4U : 0U);
}

std::vector<std::uint64_t> letters(const std::vector<std::size_t>& tokens) {
  std::vector<std::uint64_t> out;
  std::transform(tokens.begin(), tokens.end(), std::back_inserter(out), letter);
  return out;
}

/// Every lasso from the prompt token 0 with at most `most` tokens.
void for_each_lasso(
    const Graph& next, std::size_t most,
    const std::function<void(const std::vector<std::size_t>&, std::size_t)>& visit) {
  std::vector<std::size_t> path{0};
  const std::function<void()> grow = [&] {
    for (std::size_t home = 0; home + 1 < path.size(); ++home) {
      if (path[home] == path.back()) {
        visit({path.begin() + 1, path.end()}, path.size() - 1 - home);
      }
    }
    for (std::size_t t = 0; t < kTokens && path.size() <= most; ++t) {
      if (next[path.back()][t] != 0) {
        path.push_back(t);
        grow();
        path.pop_back();
      }
    }
  };
  grow();
}

bool holds(const spec::FormulaPtr& f, const std::vector<std::size_t>& tokens, std::size_t loop) {
  const auto end = tokens.end() - static_cast<std::ptrdiff_t>(loop);
  return LassoWord(letters({tokens.begin(), end}), letters({end, tokens.end()})).holds(*f);
}

struct Scene {
  Transformer model;
  spec::Spec spec;
  verify::ExactInput input;

  Scene(const Graph& next, const spec::FormulaPtr& formula, bool some)
      : model(test::bigram_model(next)),
        spec(spec::parse_spec("spec \"t\" version 1; use model M = \"m\"; class low = ids { 1, 2 };"
                              "ap A = tok = id 0; ap B = tok = id 1; ap L = tok in low;" +
                                  std::string("prop P: ") + (some ? "some" : "all") + " A & B & L;",
                              "t")) {
    spec.uses[0].sha256 = Digest{};
    spec.properties[0].formula = formula;
    input.subject.spec = &spec;
    input.subject.model = &model;
    input.emission = automata::Emission::parse("min-p:0.1");
    input.prompts.sets = {{TokenId(0)}};
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
};

}  // namespace

TEST_CASE("liveness: random machines and formulas, against every small lasso") {
  Random random(31);
  std::size_t ranked = 0, lassos = 0, prefixes = 0, some_holds = 0, some_violated = 0;
  for (int n = 0; n < 900; ++n) {
    const Graph next = random_graph(random);
    const spec::FormulaPtr f = test::random_formula(random, 3, 3, 3);
    const bool some = random.below(3) == 0;
    Scene scene(next, f, some);
    const verify::ExactProperty p = verify::check_exact(scene.input).properties[0];
    bool violated = false, satisfied = false;
    for_each_lasso(next, 7, [&](const std::vector<std::size_t>& tokens, std::size_t loop) {
      (holds(f, tokens, loop) ? satisfied : violated) = true;
    });
    INFO(spec::formula_text(f, scene.spec.atoms) << (some ? " some" : " all"));
    const std::string verdict = p.verdict_name();
    // what the dumb program met is never contradicted
    CHECK((!some || !satisfied || verdict != "violated"));
    CHECK((some || !violated || verdict != "holds"));
    if (const auto* run = std::get_if<verify::ExactViolated>(&p.verdict)) {
      std::vector<std::size_t> tokens{run->prompt.back().at()};
      for (const TokenId t : run->run.tokens) {
        REQUIRE(next[tokens.back()][t.at()] != 0);
        tokens.push_back(t.at());
      }
      if (run->loop > 0) {
        tokens.erase(tokens.begin());
        CHECK(holds(f, tokens, run->loop) == some);
        ++lassos;
      } else {
        ++prefixes;
      }
    }
    ranked += std::holds_alternative<verify::ExactEndless>(p.verdict) ? 1 : 0;
    some_holds += some && verdict == "holds" ? 1 : 0;
    some_violated += some && verdict == "violated" ? 1 : 0;
    if (verdict == "unknown") {  // no edge is open here: only what is valid by itself
      CHECK((some ? !satisfied : !violated));
      CHECK(std::get<verify::Unknown>(p.verdict).reason.find("whatever the model does") !=
            std::string::npos);
    }
  }
  CHECK(ranked > 30);
  CHECK(lassos > 60);
  CHECK(prefixes > 60);
  CHECK(some_holds > 40);
  CHECK(some_violated > 20);
}

TEST_CASE("liveness: termination, response and what is cut") {
  // 0 -> 1 -> 2 -> 3, and 3 for ever; 1 may stay
  const Graph stays = {{0, 1, 0, 0}, {0, 1, 1, 0}, {0, 0, 0, 1}, {0, 0, 0, 1}};
  const Graph ends = {{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {0, 0, 0, 1}};
  const auto verdict = [](const Graph& next, const std::string& claim,
                          std::optional<std::size_t> max_new = std::nullopt) {
    Scene scene(next, spec::constant(true), false);
    scene.spec = spec::parse_spec(
        "spec \"t\" version 1; use model M = \"m\"; ap One = tok = id 1;"
        "ap End = tok = id 3; prop P: " +
            claim + ";",
        "t");
    scene.spec.uses[0].sha256 = Digest{};
    scene.input.max_new = max_new;
    return std::string(verify::check_exact(scene.input).properties[0].verdict_name());
  };
  CHECK(verdict(ends, "all F End") == "holds");
  CHECK(verdict(stays, "all F End") == "violated");
  CHECK(verdict(stays, "some F End") == "holds");
  CHECK(verdict(stays, "some G !End") == "holds");
  CHECK(verdict(ends, "some G !End") == "violated");
  CHECK(verdict(ends, "all F G End") == "holds");
  CHECK(verdict(ends, "all G F One") == "violated");
  CHECK(verdict(ends, "all G(One -> F End)") == "holds");
  CHECK(verdict(stays, "all G(One -> F End)") == "violated");
  CHECK(verdict(ends, "all F End", 8) == "unknown");  // a run that is cut says nothing
  CHECK(verdict(ends, "some F End", 8) == "holds");   // but one that gets there does
  CHECK(verdict(ends, "all F[0:2] End", 8) == "holds");
}
