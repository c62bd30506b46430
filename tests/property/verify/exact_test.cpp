// Exact mode against a second, dumb program: every prompt and every continuation of a tiny random
// model, whole contexts, no windows, no automaton.
#include <cmath>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/progression.hpp"
#include "assay/verify/exact.hpp"
#include "assay/verify/threshold.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;

namespace {

constexpr double kClear = 1e-7;  ///< what is nearer to a cut than this is not compared

struct Trial {
  Transformer model;
  Sae sae;
  spec::Spec spec;
  verify::ExactInput input;
  std::string decoder;

  Trial(std::size_t vocabulary, std::size_t window, std::uint64_t seed, std::string words)
      : model(test::random_model(vocabulary, window, 6, seed)),
        sae(test::random_transcoder(model, 4, seed + 1)),
        decoder(std::move(words)) {
    for (float& t : sae.threshold.data) {
      t = 0.2F;
    }
    const std::string text =
        "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\"; class low = ids { 0, 1 };"
        "ap Low = tok in low; ap Zero = tok = id 0; ap Two = tok = id 2;"
        "ap On = feat(T/1) > 0.3; ap Big = feat(T/2) >= 0.9;"
        "prop pair: all G(Zero -> X !Zero);"
        "prop triple: all !F[0:5](Two & X[!] (Two & X[!] Two));"
        "prop low_then: all G(Low -> F[0:3] Two);"
        "prop on_low: all G(On -> Low);"
        "prop big_pair: all G(Big -> X !Big);"
        "prop wait: all !Two W Low;"
        "prop never_on: all G !(On & Zero);";
    spec = spec::parse_spec(text, "t");
    for (spec::Use& use : spec.uses) {
      use.sha256 = use.kind == "sae" ? sae.weights_digest : model.weights_digest;
    }
    input.subject.spec = &spec;
    input.subject.model = &model;
    input.subject.saes["T"] = &sae;
    input.emission = automata::Emission::parse(decoder);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
};

/// The tokens a decoder may emit, from its definition; false when something is too near to a cut.
bool emitted(const std::string& decoder, const std::vector<double>& logits,
             std::vector<std::size_t>& out) {
  const double top = *std::max_element(logits.begin(), logits.end());
  bool clear = true;
  for (std::size_t t = 0; t < logits.size(); ++t) {
    double margin = 0;
    if (decoder == "plain") {
      margin = 1;
    } else if (decoder == "greedy") {
      margin = logits[t] - top;
      for (std::size_t y = 0; y < logits.size(); ++y) {
        clear = clear && (y == t || std::fabs(logits[y] - logits[t]) > kClear);
      }
    } else if (decoder == "top-k:2") {
      std::size_t greater = 0;
      for (std::size_t y = 0; y < logits.size(); ++y) {
        greater += logits[y] > logits[t] ? 1 : 0;
        clear = clear && (y == t || std::fabs(logits[y] - logits[t]) > kClear);
      }
      margin = greater < 2 ? 0 : -1;
    } else if (decoder == "top-p:0.6") {
      double above = 0, total = 0;
      for (std::size_t y = 0; y < logits.size(); ++y) {
        total += std::exp(logits[y] - top);
        above += logits[y] > logits[t] ? std::exp(logits[y] - top) : 0;
        clear = clear && (y == t || std::fabs(logits[y] - logits[t]) > kClear);
      }
      margin = 0.6 - above / total;
      clear = clear && std::fabs(margin) > kClear;
    } else {  // min-p:0.3, or min-p:0.2:2:before
      margin = decoder == "min-p:0.3" ? logits[t] - top - std::log(0.3)
                                      : logits[t] - top - 2 * std::log(0.2);
      clear = clear && std::fabs(margin) > kClear;
    }
    if (margin >= 0) {
      out.push_back(t);
    }
  }
  return clear;
}

/// Looks at every run of at most `most` tokens.
class BruteForce {
 public:
  BruteForce(const Trial& trial, const spec::Property& property, std::size_t most)
      : trial_(trial), progression_(property.formula), most_(most) {}

  void prompt(const std::vector<TokenId>& tokens) { walk(tokens, progression_.initial(), 0); }
  bool violated = false, clear = true;

 private:
  void walk(const std::vector<TokenId>& context, spec::Progression::State state, std::size_t done) {
    if (done == most_ || violated) {
      return;
    }
    std::vector<std::size_t> next;
    clear = emitted(trial_.decoder, next_logits(trial_.model, context), next) && clear;
    for (const std::size_t t : next) {
      std::vector<TokenId> longer = context;
      longer.emplace_back(t);
      const auto after = progression_.next(state, letter(longer));
      violated = violated || progression_.is_false(after);
      walk(longer, after, done + 1);
    }
  }

  std::uint64_t letter(const std::vector<TokenId>& context) {
    const std::size_t t = context.back().at();
    const std::vector<std::string> hooks{trial_.sae.hook_name};
    const ForwardPass pass = forward(trial_.model, context, hooks);
    Matrix f = pre_activations(trial_.sae, pass.hooks.at(hooks[0]));
    const double on = f.at(context.size() - 1, 1), big = f.at(context.size() - 1, 2);
    clear = clear && std::fabs(on - 0.3) > kClear && std::fabs(big - 0.9) > kClear;
    return (t < 2 ? 1U : 0U) | (t == 0 ? 2U : 0U) | (t == 2 ? 4U : 0U) | (on > 0.3 ? 8U : 0U) |
           (big >= 0.9 ? 16U : 0U);
  }

  const Trial& trial_;
  spec::Progression progression_;
  std::size_t most_;
};

std::vector<std::vector<TokenId>> all_prompts(const verify::PromptSet& set, std::size_t V) {
  std::vector<std::vector<TokenId>> out, grown{{}};
  const std::size_t longest = set.any() ? set.max_length : set.sets.size();
  for (std::size_t i = 0; i < longest; ++i) {
    std::vector<std::vector<TokenId>> next;
    for (const auto& prompt : grown) {
      for (std::size_t t = 0; t < V; ++t) {
        if (set.any() || std::count(set.sets[i].begin(), set.sets[i].end(), TokenId(t)) > 0) {
          next.push_back(prompt);
          next.back().emplace_back(t);
        }
      }
    }
    grown = next;
    if (set.any() || i + 1 == longest) {
      out.insert(out.end(), grown.begin(), grown.end());
    }
  }
  return out;
}

verify::PromptSet random_prompts(std::size_t V, Random& random) {
  verify::PromptSet out;
  if (random.below(3) == 0) {
    out.max_length = 1 + random.below(3);
    return out;
  }
  for (std::size_t n = 1 + random.below(4); n > 0; --n) {
    std::set<TokenId> set{TokenId(random.below(V))};
    if (random.below(2) == 0) {
      set.insert(TokenId(random.below(V)));
    }
    out.sets.emplace_back(set.begin(), set.end());
  }
  return out;
}

}  // namespace

TEST_CASE("exact: the verdicts are those of brute force over all prompts and continuations") {
  static const char* kDecoders[] = {"greedy", "min-p:0.3", "top-k:2", "min-p:0.2:2:before",
                                    "plain",  "top-p:0.6"};
  std::size_t held = 0, violated = 0, skipped = 0;
  for (std::uint64_t seed = 0; seed < 48; ++seed) {
    Random random(seed * 977 + 5);
    const std::size_t V = 3 + random.below(3), w = 2 + random.below(3);
    Trial trial(V, w, seed, kDecoders[seed % 6]);
    trial.input.prompts = random_prompts(V, random);
    const std::size_t most = seed % 6 == 0 ? 8 : seed % 6 == 4 ? 4 : 6;
    trial.input.max_new = most;
    const verify::ExactResult result = verify::check_exact(trial.input);
    for (const verify::ExactProperty& p : result.properties) {
      const auto& property =
          *std::find_if(trial.spec.properties.begin(), trial.spec.properties.end(),
                        [&](const auto& q) { return q.name == p.name; });
      BruteForce brute(trial, property, most);
      for (const auto& prompt : all_prompts(trial.input.prompts, V)) {
        brute.prompt(prompt);
      }
      INFO("seed " << seed << " property " << p.name << " decoder " << trial.decoder);
      if (!brute.clear) {
        ++skipped;
        continue;
      }
      const std::string verdict = p.verdict_name();
      if (brute.violated) {
        CHECK(verdict == "violated");
        ++violated;
      } else {
        // A prefix may be doomed before it is false: then, at the horizon, neither.
        CHECK(verdict != "violated");
        held += verdict == "holds" ? 1 : 0;
      }
    }
  }
  CHECK(held > 20);
  CHECK(violated > 20);
  CHECK(skipped < 10);
}

TEST_CASE("exact: HOLDS without a horizon contains every sampled run") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    Random random(seed);
    const std::size_t V = 4 + random.below(3), w = 2 + random.below(2);
    Trial trial(V, w, seed, "min-p:0.3");
    trial.input.prompts.max_length = 3;
    const verify::ExactResult result = verify::check_exact(trial.input);
    const automata::WindowCodes codes(V, w);
    for (const verify::ExactProperty& p : result.properties) {
      const auto* holds = std::get_if<verify::ExactHolds>(&p.verdict);
      if (holds == nullptr) {
        continue;
      }
      std::set<automata::WindowCode> windows;
      for (const verify::ExactPair& pair : holds->invariant()) {
        windows.insert(pair.window);
      }
      if (p.name != "pair") {  // the only one here whose monitor never settles
        continue;
      }
      for (std::size_t run = 0; run < 20; ++run) {
        std::vector<TokenId> context{TokenId(random.below(V))};
        for (std::size_t i = 0; i < 30; ++i) {
          std::vector<std::size_t> next;
          (void)emitted(trial.decoder, next_logits(trial.model, context), next);
          context.emplace_back(next[random.below(next.size())]);
          CHECK(windows.count(codes.encode(context)) == 1);
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 1000);
}

TEST_CASE("exact: the result does not depend on threads, and budgets end in UNKNOWN") {
  Trial trial(6, 4, 3, "top-k:2");
  trial.input.prompts.max_length = 4;
  trial.input.wants_certificate = true;
  trial.input.limits.threads = 1;
  const verify::ExactResult one = verify::check_exact(trial.input);
  trial.input.limits.threads = 2;
  const verify::ExactResult two = verify::check_exact(trial.input);
  CHECK_FALSE(one.certificate.empty());
  CHECK(one.certificate == two.certificate);
  CHECK(one.windows == two.windows);
  trial.input.limits.states = 3;
  for (const verify::ExactProperty& p : verify::check_exact(trial.input).properties) {
    CHECK(p.verdict_name() != std::string("holds"));
  }
  trial.input.limits.states = 1000000;
  trial.input.limits.bytes = 1;
  for (const verify::ExactProperty& p : verify::check_exact(trial.input).properties) {
    CHECK(p.verdict_name() != std::string("holds"));
  }
}

TEST_CASE("exact: the threshold found by bisection is that of a scan of the whole grid") {
  std::size_t found_inside = 0, above_all = 0, below_all = 0;
  for (std::uint64_t seed = 200; seed < 212; ++seed) {
    Trial trial(4, 2, seed, "min-p:1");
    trial.input.prompts.max_length = 2;
    trial.input.max_new = 4;
    for (const char* name : {"pair", "triple", "on_low", "big_pair"}) {
      verify::ThresholdInput input;
      input.exact = trial.input;
      input.exact.subject.properties = {name};
      input.from = input.resolution = Rational{1, 20};
      const verify::Threshold found = verify::find_threshold(input);
      std::optional<Rational> smallest;
      bool violated_above = false, unknown = false;
      for (std::int64_t i = 20; i >= 1; --i) {
        verify::ExactInput at = input.exact;
        at.emission = at.emission.at_min_p(Rational{i, 20});
        const std::string verdict = verify::check_exact(at).properties.front().verdict_name();
        INFO("seed " << seed << " " << name << " at " << i << "/20");
        CHECK((verdict != "holds" || !violated_above));  // MONOTONE
        violated_above = violated_above || verdict == "violated";
        unknown = unknown || verdict == "unknown";
        smallest = verdict == "holds" ? Rational{i, 20} : smallest;
      }
      if (unknown) {
        continue;
      }
      CHECK(found.holds.has_value() == smallest.has_value());
      if (smallest) {
        CHECK(found.holds->min_p.num * 20 == smallest->num * found.holds->min_p.den);
        CHECK(found.code() == ExitCode::ok);
        ++(found.below ? found_inside : below_all);
      } else {
        CHECK(found.code() == ExitCode::violated);
        ++above_all;
      }
    }
  }
  CHECK(found_inside > 3);
  CHECK(above_all > 0);
  CHECK(below_all > 0);
}

TEST_CASE("threshold: grids and engines that say nothing") {
  Trial trial(3, 2, 1, "min-p:1");
  trial.input.prompts.max_length = 1;
  trial.input.subject.properties = {"pair"};
  verify::ThresholdInput input;
  input.exact = trial.input;
  const verify::Threshold none = verify::find_threshold(input, [](const verify::ExactInput&) {
    verify::ExactResult result;
    result.properties.emplace_back();
    return result;
  });
  CHECK(none.code() == ExitCode::unknown);
  CHECK(none.tried.size() == 1);
  const auto refused = [&](Rational from, Rational to, Rational step) {
    input.from = from;
    input.to = to;
    input.resolution = step;
    CHECK_THROWS_AS(verify::find_threshold(input), UsageError);
  };
  refused({0, 1}, {1, 1}, {1, 10});
  refused({1, 2}, {1, 2}, {1, 10});
  refused({1, 2}, {3, 2}, {1, 10});
  refused({1, 2}, {1, 1}, {0, 1});
  refused({1, 2}, {1, 1}, {1, 900'000'000});
  input.exact.emission = automata::Emission::parse("greedy");
  refused({1, 2}, {1, 1}, {1, 10});
}
