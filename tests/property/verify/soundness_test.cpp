#include "../../unit/verify/bigram.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "assay/spec/progression.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::verify;

namespace {

const std::string kAtoms =
    "ap a = tok = id 1; ap b = tok = id 2; ap c = feat(T/3) >= 0.5 band 0.25;";
constexpr const char* kFormulas[] = {"G !a",
                                     "absent(a & X[!] b)",
                                     "responds(a, b, within 2)",
                                     "precedes(a, b)",
                                     "cooldown(a, c, 2)",
                                     "absent(run(c, 3))",
                                     "G(a -> (!b W c))",
                                     "X X !a"};

/// The second, dumber program: does any run of the graph of at most `left` tokens make the
/// residual false? Every path is walked.
bool some_run_violates(const test::Scene& scene, const std::vector<std::vector<int>>& next,
                       spec::Progression& progression, spec::Progression::State state,
                       std::size_t token, std::size_t left) {
  if (progression.is_false(state)) {
    return true;
  }
  for (std::size_t t = 0; left > 0 && t < next.size(); ++t) {
    if (next[token][t] != 0 &&
        some_run_violates(scene, next, progression,
                          progression.next(state, scene.letter(TokenId(t))), t, left - 1)) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("verdicts agree with the enumeration of the model's runs") {
  set_progress(false);
  Random random(21);
  std::size_t counts[3] = {0, 0, 0};
  for (int n = 0; n < 160; ++n) {
    std::vector<std::vector<int>> next(5, std::vector<int>(5, 0));
    for (auto& row : next) {
      row[random.below(5)] = 1;
      row[random.below(5)] = 1;
    }
    const bool coarse = n % 2 == 1;
    const std::vector<std::vector<std::size_t>> blocks =
        coarse ? std::vector<std::vector<std::size_t>>{{0, 4}, {1, 3}, {2}}
               : std::vector<std::vector<std::size_t>>{{0}, {1}, {2}, {3}, {4}};
    const std::string formula = kFormulas[random.below(8)];
    test::Scene scene(next, kAtoms + "prop P: all " + formula + ";", blocks);
    scene.automaton.max_new = 7;
    const CheckResult result = check(scene.input);
    const Verdict& verdict = result.properties[0].verdict;
    ++counts[verdict.index()];
    spec::Progression progression(scene.spec.properties[0].formula);
    const bool violated = some_run_violates(scene, next, progression, progression.initial(), 0, 7);
    INFO(formula << (coarse ? " coarse" : " exact") << " " << name(verdict));
    REQUIRE(std::holds_alternative<Violated>(verdict) == violated);
    if (std::holds_alternative<Holds>(verdict)) {
      REQUIRE_FALSE(violated);
    }
    REQUIRE(result.properties[0].invariant_opinion != "disagree");
    REQUIRE(result.properties[0].reachability_opinion != "disagree");
  }
  REQUIRE(counts[0] > 20);
  REQUIRE(counts[1] > 20);
  REQUIRE(counts[2] > 5);
}
