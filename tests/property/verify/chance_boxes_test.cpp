// Bounds of probabilities over boxes of contexts against a second, dumb program: every prompt and every continuation of
// a tiny random model, whole contexts, plain doubles.
#include <string>

#include "../../../src/verify/chance_bound.hpp"
#include "assay/bounds/concrete.hpp"
#include "assay/model/forward.hpp"
#include "assay/spec/formula.hpp"
#include "assay/verify/refined.hpp"
#include "catch.hpp"
#include "chance_tree.hpp"
#include "random_subject.hpp"

using namespace assay;

namespace {

constexpr std::size_t kTokens = 3, kWindow = 3, kSteps = 3;

constexpr test::Sampling kDecoders[] = {
    {"plain", 0, 1, 1, kTokens},       {"plain:2", 0, 2, 1, kTokens},
    {"min-p:0.3", 0.3, 1, 1, kTokens}, {"min-p:0.5:2:before", 0.5, 2, 2, kTokens},
    {"top-k:2", 0, 1, 1, 2},           {"greedy", 0, 1, 1, 1}};

std::vector<std::vector<TokenId>> prompts() {
  std::vector<std::vector<TokenId>> out, grown{{}};
  for (std::size_t n = 0; n < kWindow + 1; ++n) {
    std::vector<std::vector<TokenId>> next;
    for (const auto& prompt : grown) {
      for (std::size_t t = 0; t < kTokens; ++t) {
        next.push_back(prompt);
        next.back().emplace_back(t);
      }
    }
    grown = next;
    out.insert(out.end(), grown.begin(), grown.end());
  }
  return out;
}

std::string claims(const std::string& formula) {
  std::string out =
      "spec \"t\" version 1; use model M = \"m\"; ap Zero = tok = id 0; ap Two = tok = id 2;";
  for (const char* p : {"0.1", "0.3", "0.6", "0.9"}) {
    for (const char* claim : {"Pmax <= ", "Pmin >= "}) {
      out += std::string("prop ") + (claim[2] == 'a' ? "most_" : "least_") + (p + 2) + ": " +
             claim + p + " [" + formula + "] horizon " + std::to_string(kSteps) + ";";
    }
  }
  return out;
}

}  // namespace

TEST_CASE("chance over boxes: no bound is on the wrong side of any prompt's probability") {
  std::size_t held = 0, unknown = 0, between = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Transformer model = test::random_model(kTokens, kWindow, 6, seed);
    for (const test::Sampling& decoder : kDecoders) {
      for (const std::string formula : {"F Two", "!Zero U Two", "G(Zero -> X !Zero)"}) {
        spec::Spec spec = spec::parse_spec(claims(formula), "t");
        spec.uses[0].sha256 = model.weights_digest;
        verify::RefinedInput input;
        input.runs.subject.spec = &spec;
        input.runs.subject.model = &model;
        input.runs.emission = automata::Emission::parse(decoder.words);
        input.runs.prompts.max_length = kWindow + 1;
        input.limits.lemmas = 150;
        const spec::FormulaPtr opposite = spec::negation(spec.properties[0].formula);
        const bool is_event = spec::is_safety(opposite);
        double lo = 1, hi = 0;
        for (const auto& prompt : prompts()) {
          test::Tree tree(model, decoder, is_event ? opposite : spec.properties[0].formula);
          const double r = tree.from(prompt, kSteps);
          lo = std::min(lo, is_event ? r : 1 - r);
          hi = std::max(hi, is_event ? r : 1 - r);
        }
        INFO(decoder.words << " " << formula << " seed " << seed << " truth " << lo << " " << hi);
        for (const verify::RefinedProperty& p : verify::check_refined(input).properties) {
          REQUIRE(p.chance);
          const double least = static_cast<double>(p.chance->least) * 0x1p-40;
          const double most = static_cast<double>(p.chance->most) * 0x1p-40;
          CHECK(least <= lo + 1e-12);
          CHECK(most >= hi - 1e-12);
          between += least > 0 || most < 1 ? 1 : 0;
          const double threshold = std::stod("0." + p.name.substr(p.name.find('_') + 1));
          const bool truth = p.name[0] == 'm' ? hi <= threshold : lo >= threshold;
          if (std::string(p.verdict_name()) == "holds") {
            CHECK(truth);
            ++held;
          } else {
            CHECK(std::holds_alternative<verify::Unknown>(p.verdict));
            ++unknown;
          }
        }
      }
    }
  }
  CHECK(held > 30);
  CHECK(between > held);
  CHECK(unknown > 30);
}

namespace {

/// Of a tiny model with a feature, a readout and two tokens: what each is at a context's last token.
struct Atoms {
  Transformer model;
  Sae sae;
  Readout readout;

  explicit Atoms(std::uint64_t seed)
      : model(test::random_model(kTokens, kWindow, 6, seed)),
        sae(test::random_transcoder(model, 4, seed + 1)) {
    Random random(seed);
    readout.hook = kHookResidMid;
    for (std::size_t i = 0; i < model.config.d_model; ++i) {
      readout.weights.push_back(2 * random.unit() - 1);
    }
    readout.digest = sha256("readout");
    std::fill(sae.threshold.data.begin(), sae.threshold.data.end(), 0.2F);
  }

  [[nodiscard]] std::uint64_t letter(const std::vector<TokenId>& context) const {
    const bounds::ConcreteValues values = bounds::enclose(model, context);
    const auto on = bounds::enclose_feature(sae, FeatureId(1), values);
    REQUIRE(on);
    return test::token_letter(context) | (on->lo > 0.3 ? 4U : 0U) |
           (bounds::enclose_readout(readout, values).lo >= 0.1 ? 8U : 0U);
  }
};

spec::Spec claims_of_atoms(const Atoms& atoms, const std::string& formula) {
  std::string text =
      "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\"; use readout R = \"r\";"
      "ap Zero = tok = id 0; ap Two = tok = id 2; ap On = feat(T/1) > 0.3; ap Said = read(R) >= "
      "0.1;";
  for (const char* p : {"0.2", "0.5", "0.8"}) {
    for (const char* claim : {"Pmax <= ", "Pmin >= "}) {
      text += std::string("prop ") + (claim[2] == 'a' ? "most_" : "least_") + (p + 2) + ": " +
              claim + p + " [" + formula + "] horizon " + std::to_string(kSteps) + ";";
    }
  }
  spec::Spec spec = spec::parse_spec(text, "t");
  for (spec::Use& use : spec.uses) {
    use.sha256 = use.kind == "sae"     ? atoms.sae.weights_digest
                 : use.kind == "model" ? atoms.model.weights_digest
                                       : atoms.readout.digest;
  }
  return spec;
}

}  // namespace

// Features and readouts are left free by the chain: a bound counts both values of each.
TEST_CASE("chance over boxes: features, readouts and next steps are on no wrong side either") {
  std::size_t held = 0, between = 0, by_atom = 0;
  const std::string formulas[] = {"F (Two & On)",
                                  "F (Zero & Said & X[!] Two)",
                                  "G(Said -> X !Zero)",
                                  "X[!] X[!] Two",
                                  "G(Zero -> X(On | !Two))",
                                  "!(On & Said) W (Two & X Zero)",
                                  "F (Two & X[!] (Two & !Said))"};
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const Atoms atoms(seed);
    for (const test::Sampling& decoder : {kDecoders[0], kDecoders[2], kDecoders[4]}) {
      for (const std::string& formula : formulas) {
        const spec::Spec spec = claims_of_atoms(atoms, formula);
        verify::RefinedInput input;
        input.runs.subject.spec = &spec;
        input.runs.subject.model = &atoms.model;
        input.runs.subject.saes["T"] = &atoms.sae;
        input.runs.subject.readouts["R"] = &atoms.readout;
        input.runs.emission = automata::Emission::parse(decoder.words);
        input.runs.prompts.max_length = kWindow + 1;
        input.limits.lemmas = 150;
        const spec::FormulaPtr opposite = spec::negation(spec.properties[0].formula);
        const bool is_event = spec::is_safety(opposite);
        double lo = 1, hi = 0;
        for (const auto& prompt : prompts()) {
          test::Tree tree(atoms.model, decoder, is_event ? opposite : spec.properties[0].formula,
                          [&](const auto& context) { return atoms.letter(context); });
          const double r = tree.from(prompt, kSteps);
          lo = std::min(lo, is_event ? r : 1 - r);
          hi = std::max(hi, is_event ? r : 1 - r);
        }
        INFO(decoder.words << " " << formula << " seed " << seed << " truth " << lo << " " << hi);
        for (const verify::RefinedProperty& p : verify::check_refined(input).properties) {
          REQUIRE(p.chance);
          const double least = static_cast<double>(p.chance->least) * 0x1p-40;
          const double most = static_cast<double>(p.chance->most) * 0x1p-40;
          CHECK(least <= lo + 1e-12);
          CHECK(most >= hi - 1e-12);
          between += least > 0 || most < 1 ? 1 : 0;
          const double threshold = std::stod("0." + p.name.substr(p.name.find('_') + 1));
          if (std::string(p.verdict_name()) == "holds") {
            CHECK((p.name[0] == 'm' ? hi <= threshold : lo >= threshold));
            ++held;
            by_atom +=
                formula.find("On") != std::string::npos || formula.find("Said") != std::string::npos
                    ? 1
                    : 0;
          }
        }
      }
    }
  }
  CHECK(held > 20);
  CHECK(by_atom > 10);
  CHECK(between > held);
}

TEST_CASE("MOST: never below the probability, at any logits that satisfy the lemma") {
  Random random(5);
  for (const test::Sampling& decoder : kDecoders) {
    const automata::Emission emission = automata::Emission::parse(decoder.words);
    for (int trial = 0; trial < 2000; ++trial) {
      std::vector<double> logits(kTokens);
      for (double& l : logits) {
        l = 6 * random.unit() - 3;
      }
      const auto part = static_cast<std::uint32_t>(random.below(bounds::kWholeMixture + 1));
      bounds::Quantity q;
      q.kind = bounds::QuantityKind::logit_mixture;
      q.index = 0;
      q.mixture = {{1, part}, {2, bounds::kWholeMixture - part}};
      const double w = static_cast<double>(part) / bounds::kWholeMixture;
      const double lead = logits[0] - w * logits[1] - (1 - w) * logits[2];
      const double most =
          static_cast<double>(verify::most_after(emission, q, lead + 1e-12)) * 0x1p-40;
      CHECK(most >= test::next(decoder, logits)[0] - 1e-12);
    }
  }
}

TEST_CASE("MOST: the formulas at a glance") {
  bounds::Quantity q;
  q.kind = bounds::QuantityKind::logit_difference;
  const auto most = [&](const char* decoder, double U) {
    return static_cast<double>(verify::most_after(automata::Emission::parse(decoder), q, U)) *
           0x1p-40;
  };
  CHECK(most("plain", 0) == Approx(0.5));
  CHECK(most("plain:2", -4) == Approx(1 / (1 + std::exp(2))));
  CHECK(most("min-p:0.1", -2.4) == 0);  // below ln 0.1
  CHECK(most("min-p:0.1", -2) == Approx(1.1 / (1 + std::exp(2))));
  CHECK(most("greedy", -0.1) == 0);
  CHECK(most("greedy", 0) == 1);  // a tie is kept
  CHECK(most("top-k:1", -9) == 1);
  CHECK(most("top-k:2", -2) == Approx(1 / (1 + std::exp(2))));
  CHECK(most("top-p:0.9", -50) == 1);
  CHECK(most("plain", std::nan("")) == 1);
  CHECK(most("min-p:0.1", std::numeric_limits<double>::infinity()) == 1);
}
