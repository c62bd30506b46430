// Refined mode against a dumb program: every prompt and every continuation of a tiny random model, whole contexts.
#include "assay/verify/refined.hpp"

#include "../../../src/verify/refined_box.hpp"
#include "assay/bounds/concrete.hpp"
#include "assay/spec/progression.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;

namespace {

struct Trial {
  Transformer model;
  Sae sae;
  spec::Spec spec;
  verify::RefinedInput input;

  Trial(std::size_t vocabulary, std::size_t window, std::uint64_t seed, const std::string& decoder)
      : model(test::random_model(vocabulary, window, 6, seed)),
        sae(test::random_transcoder(model, 4, seed + 1)) {
    for (float& w : model.W_U.data) {
      w *= 3;  // so that a decoder drops something in every context
    }
    for (float& t : sae.threshold.data) {
      t = 0.2F;
    }
    spec = spec::parse_spec(
        "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\"; class low = ids { 0, 1 };"
        "ap Low = tok in low; ap Zero = tok = id 0; ap Two = tok = id 2; ap On = feat(T/1) > 0.3;"
        "prop pair: all G(Zero -> X !Zero);"
        "prop triple: all !F[0:5](Two & X[!] (Two & X[!] Two));"
        "prop low_then: all G(Low -> F[0:3] Two);"
        "prop on_low: all G(On -> Low);"
        "prop wait: all !Two W Low;"
        "prop never_on: all G !(On & Zero);",
        "t");
    for (spec::Use& use : spec.uses) {
      use.sha256 = use.kind == "sae" ? sae.weights_digest : model.weights_digest;
    }
    input.runs.subject.spec = &spec;
    input.runs.subject.model = &model;
    input.runs.subject.saes["T"] = &sae;
    input.runs.emission = automata::Emission::parse(decoder);
    input.limits.lemmas = 400;
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  [[nodiscard]] std::vector<automata::Edge> edges(const std::vector<TokenId>& context) const {
    const bounds::ConcreteValues values = bounds::enclose(model, context);
    std::vector<double> lo, hi;
    for (const Interval& l : values.logits) {
      lo.push_back(l.lo);
      hi.push_back(l.hi);
    }
    std::vector<automata::Edge> out(lo.size());
    input.runs.emission.decide(lo, hi, out);
    return out;
  }
};

/// Looks at every run of at most `most` tokens whose steps and letters are sure.
class BruteForce {
 public:
  BruteForce(const Trial& trial, const spec::Property& property, std::size_t most)
      : trial_(trial), progression_(property.formula), most_(most) {}

  void prompt(const std::vector<TokenId>& tokens) { walk(tokens, progression_.initial(), 0); }
  bool violated = false;

 private:
  void walk(const std::vector<TokenId>& context, spec::Progression::State state, std::size_t done) {
    if (done == most_ || violated) {
      return;
    }
    const std::vector<automata::Edge> edges = trial_.edges(context);
    for (std::size_t t = 0; t < edges.size() && !violated; ++t) {
      if (edges[t] != automata::Edge::witnessed) {
        continue;
      }
      std::vector<TokenId> longer = context;
      longer.emplace_back(t);
      const auto on =
          bounds::enclose_feature(trial_.sae, FeatureId(1), bounds::enclose(trial_.model, longer));
      if (!on || (on->lo <= 0.3 && on->hi > 0.3)) {
        continue;
      }
      const std::uint64_t letter =
          (t < 2 ? 1U : 0U) | (t == 0 ? 2U : 0U) | (t == 2 ? 4U : 0U) | (on->lo > 0.3 ? 8U : 0U);
      const auto after = progression_.next(state, letter);
      violated = violated || progression_.is_false(after);
      walk(longer, after, done + 1);
    }
  }

  const Trial& trial_;
  spec::Progression progression_;
  std::size_t most_;
};

std::vector<std::vector<TokenId>> contexts(std::size_t V, std::size_t longest) {
  std::vector<std::vector<TokenId>> out, grown{{}};
  for (std::size_t i = 0; i < longest; ++i) {
    std::vector<std::vector<TokenId>> next;
    for (const auto& context : grown) {
      for (std::size_t t = 0; t < V; ++t) {
        next.push_back(context);
        next.back().emplace_back(t);
      }
    }
    grown = next;
    out.insert(out.end(), grown.begin(), grown.end());
  }
  return out;
}

bool is_in(const verify::ViewBox& box, const std::vector<TokenId>& context) {
  const std::size_t n = std::min(context.size(), box.back.size());
  bool in = n >= box.lo && n <= box.hi;
  for (std::size_t j = 0; j < n; ++j) {
    in = in && box.back[j].test(context[context.size() - 1 - j].at());
  }
  return in;
}

/// Every fact of the proof, in every context up to one token beyond the window.
std::size_t check_facts(const Trial& trial, const verify::RefinedProof& proof) {
  const auto& config = trial.model.config;
  std::size_t compared = 0;
  for (const auto& context : contexts(config.d_vocab, config.attention_window + 1)) {
    const std::vector<automata::Edge> edges = trial.edges(context);
    for (const verify::OutFact& fact : proof.outs) {
      if (is_in(fact.box, context)) {
        CHECK(edges[fact.token] != automata::Edge::witnessed);
        ++compared;
      }
    }
    for (const verify::AtomFact& fact : proof.atoms) {
      if (is_in(fact.box, context)) {
        const auto on =
            bounds::enclose_feature(trial.sae, FeatureId(1), bounds::enclose(trial.model, context));
        if (on) {
          CHECK((fact.truth ? on->hi > 0.3 : on->lo <= 0.3));
        }
        ++compared;
      }
    }
  }
  return compared;
}

}  // namespace

TEST_CASE("refined: no run contradicts a HOLDS, and every fact is true of every context") {
  static const char* kDecoders[] = {"greedy", "min-p:0.3", "top-k:2", "min-p:0.2:2:before"};
  std::size_t held = 0, violated = 0, facts = 0;
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    const std::size_t V = 3 + seed % 3, w = 2 + seed % 3;
    Trial trial(V, w, seed, kDecoders[seed % 4]);
    if (seed % 3 == 0) {
      trial.input.runs.prompts.sets = {{TokenId(0), TokenId(1)}, {TokenId(2)}};
    } else {
      trial.input.runs.prompts.max_length = 1 + seed % 5;
    }
    const verify::RefinedResult result = verify::check_refined(trial.input);
    for (const verify::RefinedProperty& p : result.properties) {
      const auto& property =
          *std::find_if(trial.spec.properties.begin(), trial.spec.properties.end(),
                        [&](const auto& q) { return q.name == p.name; });
      const auto* holds = std::get_if<verify::RefinedHolds>(&p.verdict);
      violated += std::holds_alternative<verify::ExactViolated>(p.verdict) ? 1 : 0;
      if (holds == nullptr) {
        continue;
      }
      ++held;
      facts += check_facts(trial, holds->proof());
      BruteForce brute(trial, property, 4);
      if (trial.input.runs.prompts.any()) {
        for (const auto& prompt :
             contexts(V, std::min<std::size_t>(3, trial.input.runs.prompts.max_length))) {
          brute.prompt(prompt);
        }
      } else {
        brute.prompt({TokenId(0), TokenId(2)});
        brute.prompt({TokenId(1), TokenId(2)});
      }
      INFO("seed " << seed << " property " << p.name);
      CHECK_FALSE(brute.violated);
    }
  }
  CHECK(held >= 10);
  CHECK(violated >= 10);
  CHECK(facts > 1000);
}

TEST_CASE("refined: the verdict agrees with exact mode, and repeats byte for byte") {
  std::size_t decided = 0;
  for (std::uint64_t seed = 50; seed < 58; ++seed) {
    Trial trial(3 + seed % 2, 2 + seed % 2, seed, "min-p:0.3");
    trial.input.runs.prompts.max_length = 3;
    trial.input.runs.wants_certificate = true;
    const verify::RefinedResult refined = verify::check_refined(trial.input);
    CHECK(refined.certificate == verify::check_refined(trial.input).certificate);
    const verify::ExactResult exact = verify::check_exact(trial.input.runs);
    for (std::size_t i = 0; i < exact.properties.size(); ++i) {
      const std::string one = refined.properties[i].verdict_name();
      const std::string other = exact.properties[i].verdict_name();
      INFO("seed " << seed << " property " << exact.properties[i].name);
      CHECK((one == other || one == "unknown" || other == "unknown"));
      decided += one != "unknown" ? 1 : 0;
    }
  }
  CHECK(decided >= 30);
}
