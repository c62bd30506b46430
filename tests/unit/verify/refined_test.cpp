#include "assay/verify/refined.hpp"

#include <random>

#include "../../../src/verify/refined_box.hpp"
#include "../../../src/verify/refined_facts.hpp"
#include "../../../src/verify/refined_walks.hpp"
#include "bigram.hpp"
#include "catch.hpp"

using namespace assay;
using verify::TokenBits;
using verify::ViewBox;

namespace {

constexpr std::size_t kV = 3, kW = 3;

using View = std::vector<std::size_t>;  // newest first

std::vector<View> all_views() {
  std::vector<View> out, grown{{}};
  for (std::size_t n = 1; n <= kW; ++n) {
    std::vector<View> next;
    for (const View& view : grown) {
      for (std::size_t t = 0; t < kV; ++t) {
        next.push_back(view);
        next.back().push_back(t);
      }
    }
    grown = next;
    out.insert(out.end(), grown.begin(), grown.end());
  }
  return out;
}

bool holds(const ViewBox& box, const View& view) {
  if (view.size() < box.lo || view.size() > box.hi) {
    return false;
  }
  for (std::size_t j = 0; j < view.size(); ++j) {
    if (!box.back[j].test(view[j])) {
      return false;
    }
  }
  return true;
}

/// Sets at the positions that every view has, all tokens beyond.
ViewBox random_box(std::mt19937& random) {
  ViewBox box = verify::every_view(kV, kW);
  box.lo = 1 + random() % kW;
  box.hi = box.lo + random() % (kW - box.lo + 1);
  for (std::size_t j = 0; j < box.lo; ++j) {
    if (random() % 3 != 0) {
      box.back[j] = TokenBits(kV);
      for (std::size_t t = 0; t < kV; ++t) {
        if (random() % 2 == 0) {
          box.back[j].set(t);
        }
      }
    }
  }
  return box;
}

struct RefinedScene {
  Transformer model;
  Sae sae;
  spec::Spec spec;
  verify::RefinedInput input;

  RefinedScene(const std::vector<std::vector<int>>& next, const std::string& declarations)
      : model(test::bigram_model(next)), sae(test::one_hot_sae(next.size())) {
    spec = spec::parse_spec(
        "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\";" + declarations, "t");
    for (spec::Use& use : spec.uses) {
      use.sha256 = Digest{};
    }
    input.runs.subject.spec = &spec;
    input.runs.subject.model = &model;
    input.runs.subject.saes["T"] = &sae;
    input.runs.emission = automata::Emission::parse("min-p:0.1");
    input.runs.prompts.max_length = 9;
    input.runs.wants_certificate = true;
  }
  RefinedScene(const RefinedScene&) = delete;
  RefinedScene& operator=(const RefinedScene&) = delete;

  [[nodiscard]] std::string verdict() {
    return verify::check_refined(input).properties.at(0).verdict_name();
  }
};

// 0 -> 1 -> 2 -> 0, and 3 -> 3 apart from them
const std::vector<std::vector<int>> kCycle = {
    {0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}};
const std::string kTokens = "ap A = tok = id 0; ap B = tok = id 1; ap D = tok = id 3;";

}  // namespace

TEST_CASE("refined boxes: every operation is that on the views listed one by one") {
  std::mt19937 random(3);
  const std::vector<View> views = all_views();
  for (int trial = 0; trial < 3000; ++trial) {
    const ViewBox a = random_box(random), b = random_box(random), c = random_box(random);
    const auto token = static_cast<std::uint32_t>(random() % kV);
    const auto before = verify::predecessor(a, token);
    TokenBits two(kV);
    two.set(token);
    two.set(random() % kV);
    const ViewBox after = verify::successor(a, two);
    std::size_t work = 10000;
    const auto left = verify::uncovered(a, {&b, &c}, work);
    REQUIRE(left.has_value());
    bool some = false, common = false, inside = true;
    for (const View& view : views) {
      const bool in_a = holds(a, view), in_b = holds(b, view);
      some = some || in_a;
      common = common || (in_a && in_b);
      inside = inside && (!in_b || in_a);
      CHECK(holds(verify::both(a, b), view) == (in_a && in_b));
      CHECK((!(in_a || in_b) || holds(verify::hull(a, b), view)));
      std::size_t times = 0;
      for (const ViewBox& part : *left) {
        times += holds(part, view) ? 1 : 0;
      }
      CHECK(times == (in_a && !in_b && !holds(c, view) ? 1 : 0));
      View longer = view;
      longer.insert(longer.begin(), token);
      longer.resize(std::min(longer.size(), kW));
      CHECK((before && holds(*before, view)) == holds(a, longer));
      CHECK((!in_a || holds(after, longer)));
    }
    CHECK(verify::is_empty(a) == !some);
    CHECK(verify::meets(a, b) == common);
    CHECK((!verify::contains(a, b) || inside));
    CHECK(verify::box_of(verify::domain_of(a), kV, kW) == a);
  }
}

TEST_CASE("refined boxes: a cover that takes too much work is not a cover") {
  const ViewBox all = verify::every_view(kV, kW);
  std::size_t work = 0;
  CHECK_FALSE(verify::uncovered(all, {&all}, work).has_value());
  work = 1;
  CHECK(verify::uncovered(all, {&all}, work)->empty());
}

TEST_CASE("refined: verdicts on a cycle of three tokens, from any prompt") {
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all G(A -> X !A);").verdict() == "holds");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all G !D;").verdict() == "violated");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all G(A -> X B);").verdict() == "holds");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all G(B -> X A);").verdict() == "violated");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all F A;").verdict() == "unknown");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: all G(A | !A);").verdict() == "unknown");
  CHECK(RefinedScene(kCycle, kTokens + "prop p: some G !D;").verdict() == "unknown");
}

TEST_CASE("refined: features are read at the last token, surely on or surely off") {
  const std::string on = kTokens + "ap On = feat(T/0) > 0.5; ap Two = feat(T/2) > 0.5;";
  CHECK(RefinedScene(kCycle, on + "prop p: all G(On -> A);").verdict() == "holds");
  CHECK(RefinedScene(kCycle, on + "prop p: all G(A -> On);").verdict() == "holds");
  CHECK(RefinedScene(kCycle, on + "prop p: all G !On;").verdict() == "violated");
  CHECK(RefinedScene(kCycle, on + "prop p: all G(On -> X !Two);").verdict() == "holds");
}

TEST_CASE("refined: a prompt set that never reaches a token needs patterns that are not reached") {
  RefinedScene scene(kCycle, kTokens + "prop p: all G !D;");
  scene.input.runs.prompts = {};
  scene.input.runs.prompts.sets = {{TokenId(3)}, {TokenId(0), TokenId(2)}};
  const verify::RefinedResult result = verify::check_refined(scene.input);
  CHECK(result.properties[0].verdict_name() == std::string("holds"));
  CHECK(result.certificate.find("kind refined\n") != std::string::npos);
  CHECK(result.certificate.find(" OUT : ") != std::string::npos);
  scene.input.runs.prompts.sets.back().emplace_back(3);
  CHECK(scene.verdict() == "violated");
}

TEST_CASE("refined: plain decoding excludes nothing, top-k and greedy do") {
  for (const char* decoder : {"greedy", "top-k:1"}) {
    RefinedScene scene(kCycle, kTokens + "prop p: all G(A -> X B);");
    scene.input.runs.emission = automata::Emission::parse(decoder);
    CHECK(scene.verdict() == "holds");
  }
  RefinedScene scene(kCycle, kTokens + "prop p: all G(A -> X B);");
  scene.input.runs.emission = automata::Emission::parse("plain");
  CHECK(scene.verdict() == "violated");
}

TEST_CASE("refined: a verdict cannot be made without its facts") {
  RefinedScene scene(kCycle, kTokens + "prop p: all G(A -> X !A);");
  const verify::RefinedResult result = verify::check_refined(scene.input);
  const auto& holds = std::get<verify::RefinedHolds>(result.properties[0].verdict);
  const auto make = [&](const auto& change) {
    verify::RefinedProof proof = holds.proof();
    change(proof);
    return verify::RefinedHolds(scene.input, holds.dfa(), proof);
  };
  CHECK_NOTHROW(make([](auto&) {}));
  CHECK_THROWS_AS(make([](auto& p) { p.outs.clear(); }), PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.states.clear(); }), PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.outs[0].token = 1; }), PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.outs[0].lemmas[0].hi = -2; }), PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.outs[0].lemmas[0].hi = std::nan(""); }), PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.outs[0].box = verify::every_view(4, 3); }),
                  PreconditionError);
  CHECK_THROWS_AS(make([](auto& p) { p.outs[0].lemmas[0].is_lower = true; }), PreconditionError);
  for (std::size_t i = 0; i < holds.proof().states.size(); ++i) {
    CHECK_THROWS_AS(make([i](auto& p) { p.states.erase(p.states.begin() + static_cast<long>(i)); }),
                    PreconditionError);
  }
}

TEST_CASE("refined: budgets and an interrupted search end in UNKNOWN, never in a pass") {
  RefinedScene scene(kCycle, kTokens + "prop p: all G(A -> X !A);");
  scene.input.limits.boxes = 0;
  const verify::RefinedResult result = verify::check_refined(scene.input);
  const auto& unknown = std::get<verify::Unknown>(result.properties[0].verdict);
  CHECK(unknown.reason.find("budget") != std::string::npos);
  CHECK(unknown.missing.find("after") != std::string::npos);
  CHECK(result.certificate.empty());
  scene.input.limits.boxes = 100;
  scene.input.limits.cover = 1;
  CHECK(scene.verdict() == "unknown");
}

TEST_CASE("refined: walks meet runs of the model that the monitor refutes, and no others") {
  const std::vector<std::vector<int>> next = {
      {1, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 1, 0}, {0, 0, 0, 1}};
  RefinedScene scene(next, kTokens +
                               "let then(p, q) = p & X[!] q;"
                               "prop deep: all absent(then(A, then(A, then(A, then(A, B)))));");
  const verify::Atoms atoms(scene.input.runs.subject);
  const spec::Dfa dfa = spec::bad_prefix_dfa(scene.spec.properties[0].formula);
  const verify::RefinedLetters letters(scene.input.runs.subject, atoms, dfa);
  verify::ContextAttack attack(scene.input, letters.measured());
  verify::RunWalks walks(scene.input, letters, dfa, attack);
  const std::vector<verify::MetRun> met = walks.met(20'000, 50);
  CHECK(met.size() >= 50);
  for (const verify::MetRun& run : met) {
    REQUIRE((!run.prompt.empty() && run.prompt.size() <= 9));
    std::size_t last = run.prompt.back().at();
    std::uint32_t state = 0;
    for (const TokenId t : run.tokens) {
      CHECK(next[last][t.at()] != 0);
      last = t.at();
      CHECK_FALSE(dfa.bad[state]);
      state = dfa.next(state, letters.fixed(last));
    }
    CHECK(dfa.bad[state]);
  }
  // what no run does is not met, and the work ends
  RefinedScene never(next, kTokens + "prop no: all G(A -> X !D);");
  const spec::Dfa other = spec::bad_prefix_dfa(never.spec.properties[0].formula);
  const verify::Atoms theirs(never.input.runs.subject);
  const verify::RefinedLetters few(never.input.runs.subject, theirs, other);
  verify::ContextAttack idle(never.input, few.measured());
  CHECK(verify::RunWalks(never.input, few, other, idle).met(5'000, 50).empty());
  CHECK(idle.evaluated() <= 5'064);
}

TEST_CASE(
    "refined: the hunt for what matters is bounded by work, and says so when it met nothing") {
  RefinedScene scene(kCycle, kTokens + "prop p: all G(D -> X !A);");
  scene.input.runs.prompts.sets = {{TokenId(0), TokenId(1)}};  // no run comes to D
  const auto attacked = [&](std::size_t hunt) {
    scene.input.limits.hunt = hunt;
    const verify::RefinedResult r = verify::check_refined(scene.input);
    CHECK(r.properties[0].verdict_name() == std::string("holds"));
    CHECK(r.properties[0].antecedent() == std::string("not met"));
    return r.properties[0].attacked;
  };
  const std::size_t least = attacked(0), more = attacked(200'000);
  CHECK(least < more);
  CHECK(more < least + 2 * 400'000);
}
