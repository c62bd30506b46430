// Probabilities in exact mode against a second, dumb program: every prompt and every continuation of
// a tiny random model, whole contexts, plain doubles.
#include <string>

#include "assay/spec/formula.hpp"
#include "assay/verify/exact.hpp"
#include "catch.hpp"
#include "chance_tree.hpp"
#include "random_subject.hpp"

using namespace assay;

namespace {

constexpr std::size_t kTokens = 4, kWindow = 2, kSteps = 4;

using test::Sampling;
using test::Tree;

constexpr Sampling kDecoders[] = {{"plain", 0, 1, 1, kTokens},
                                  {"min-p:0.3", 0.3, 1, 1, kTokens},
                                  {"min-p:0.2:2", 0.2, 2, 1, kTokens},
                                  {"min-p:0.2:2:before", 0.2, 2, 2, kTokens},
                                  {"top-k:2", 0, 1, 1, 2},
                                  {"greedy", 0, 1, 1, 1}};

std::string property(const std::string& name, const std::string& claim) {
  return "prop " + name + ": " + claim + " horizon " + std::to_string(kSteps) + ";";
}

}  // namespace

TEST_CASE("chance: both bounds enclose every prompt's probability, and are tight") {
  const std::string formulas[] = {"F Two",
                                  "!Zero U Two",
                                  "G !Two",
                                  "F (Zero & X[!] Zero)",
                                  "G(Zero -> X !Zero)",
                                  "Two & F[0:2] Zero"};
  std::size_t held = 0, violated = 0, unknown = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Transformer model = test::random_model(kTokens, kWindow, 6, seed);
    for (const Sampling& decoder : kDecoders) {
      for (const std::string& formula : formulas) {
        std::string text =
            "spec \"t\" version 1; use model M = \"m\"; ap Zero = tok = id 0; ap Two = tok = id 2;";
        for (const char* p : {"0.2", "0.5", "0.8"}) {
          text += property(std::string("most_0") + (p + 2),
                           "Pmax <= " + std::string(p) + " [" + formula + "]");
          text += property(std::string("least_0") + (p + 2),
                           "Pmin > " + std::string(p) + " [" + formula + "]");
        }
        spec::Spec spec = spec::parse_spec(text, "t");
        spec.uses[0].sha256 = model.weights_digest;
        verify::ExactInput input;
        input.subject.spec = &spec;
        input.subject.model = &model;
        input.emission = automata::Emission::parse(decoder.words);
        input.prompts.sets = {{TokenId(0), TokenId(1), TokenId(3)}, {TokenId(1), TokenId(2)}};
        const verify::ExactResult result = verify::check_exact(input);

        const spec::FormulaPtr opposite = spec::negation(spec.properties[0].formula);
        const bool is_event = spec::is_safety(opposite);
        double lo = 1, hi = 0;
        for (const TokenId a : input.prompts.sets[0]) {
          for (const TokenId b : input.prompts.sets[1]) {
            Tree tree(model, decoder, is_event ? opposite : spec.properties[0].formula);
            const double r = tree.from({a, b}, kSteps);
            lo = std::min(lo, is_event ? r : 1 - r);
            hi = std::max(hi, is_event ? r : 1 - r);
          }
        }
        INFO(decoder.words << " " << formula << " seed " << seed << " truth " << lo << " " << hi);
        for (const verify::ExactProperty& p : result.properties) {
          REQUIRE(p.chance);
          const double least = static_cast<double>(p.chance->least) * 0x1p-40;
          const double most = static_cast<double>(p.chance->most) * 0x1p-40;
          CHECK(least <= lo + 1e-12);
          CHECK(most >= hi - 1e-12);
          CHECK(least >= lo - 1e-7);
          CHECK(most <= hi + 1e-7);
          const double threshold = std::stod("0." + p.name.substr(p.name.find("_0") + 2));
          const bool truth = p.name[0] == 'm' ? hi <= threshold : lo > threshold;
          const std::string verdict = p.verdict_name();
          CHECK((verdict == "unknown" || (verdict == "holds") == truth));
          held += verdict == "holds" ? 1 : 0;
          violated += verdict == "violated" ? 1 : 0;
          unknown += verdict == "unknown" ? 1 : 0;
        }
      }
    }
  }
  CHECK(held > 100);
  CHECK(violated > 100);
  CHECK(unknown < held);
}

TEST_CASE("chance: without a horizon the bounds only widen") {
  const Transformer model = test::random_model(kTokens, kWindow, 6, 3);
  spec::Spec spec = spec::parse_spec(
      "spec \"t\" version 1; use model M = \"m\"; ap Zero = tok = id 0; ap Two = tok = id 2;"
      "prop ever: Pmax <= 0.999 [!Zero U Two]; prop soon: Pmax <= 0.999 [!Zero U Two] horizon 6;"
      "prop pair: Pmin >= 0.001 [F (Zero & X[!] Two)]; prop none: Pmax <= 1 [F Two];"
      "prop neither: Pmax <= 0.5 [G F Two]; prop given: Pmax <= 0.5 [F Two] from Zero;"
      "prop other: Pmax >= 0.5 [F Two]; prop empty: Pmax <= 0.5 [F (Two & !Two)];",
      "t");
  spec.uses[0].sha256 = model.weights_digest;
  verify::ExactInput input;
  input.subject.spec = &spec;
  input.subject.model = &model;
  input.emission = automata::Emission::parse("plain");
  input.prompts.max_length = 3;
  const verify::ExactResult result = verify::check_exact(input);
  const auto& p = result.properties;
  REQUIRE(p[0].chance);
  REQUIRE(p[1].chance);
  CHECK(p[0].chance->most >= p[1].chance->most);
  CHECK(p[0].chance->most - p[0].chance->least < automata::kGridOne);
  CHECK(p[2].chance->least > automata::kGridOne / 1000 * 900);  // every loop meets the pair at last
  CHECK(std::string(p[2].verdict_name()) == "holds");
  for (std::size_t i = 3; i < p.size(); ++i) {
    INFO(p[i].name);
    CHECK(std::string(p[i].verdict_name()) == "unknown");
    CHECK_FALSE(std::get<verify::Unknown>(p[i].verdict).reason.empty());
  }
}
