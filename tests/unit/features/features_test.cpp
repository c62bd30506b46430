#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/features/best_feature.hpp"
#include "assay/features/cards.hpp"
#include "assay/features/evaluate.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using namespace assay::features;

namespace {

/// Three tokens, d = 2, no attention effect (values are zero), no MLP effect (W_out is zero):
/// resid_mid = W_E[t], logits = W_E[t] W_U. The transcoder's input is W_E[t], its target is 0 + b_out.
struct Tiny {
  Transformer model;
  Sae sae;

  Tiny() {
    model = test::random_model(3, 1, 2);
    model.W_E.data = {1, 0, 0, 1, 2, 0};
    model.W_V = zeros(model.W_V.shape);
    model.b_V = zeros(model.b_V.shape);
    model.b_O = zeros(model.b_O.shape);
    model.W_out = zeros(model.W_out.shape);
    model.b_out = zeros(model.b_out.shape);
    model.W_U.data = {1, 0, 0, 0, 1, 0};
    model.b_U = zeros(model.b_U.shape);
    sae = test::random_transcoder(model, 3);
    sae.hook_name = sae.hook_name_out = kHookResidMid;
    sae.architecture = "jumprelu";
    sae.W_enc.data = {1, 0, 0, 0, 1, 0};  // feature 0 = x0, feature 1 = x1, feature 2 = 0
    sae.b_enc = zeros({3});
    sae.threshold = zeros({3});
    sae.W_dec.data = {0.5, 0, 0, 1, 0, 0};
    sae.b_dec = zeros({2});
  }
};

const Sequences kText = {{TokenId(0), TokenId(1), TokenId(2), TokenId(1)}};

}  // namespace

TEST_CASE("metrics equal the figures computed by hand") {
  const Tiny t;
  const Evaluation e = evaluate(t.model, t.sae, kText);
  // x: (1,0) (0,1) (2,0) (0,1); xhat: (.5,0) (0,1) (1,0) (0,1). mean (.75,.5).
  const double error = 0.25 + 1.0;
  const double spread = 2.75 + 1.0;  // x0: 1+0+4+0 - 4*.5625; x1: 2 - 4*.25
  CHECK(e.tokens == 4);
  CHECK(e.metric("l0").value == Approx(1));
  CHECK(e.metric("mse").value == Approx(error / 4));
  CHECK(e.metric("fvu").value == Approx(error / spread));
  CHECK(e.metric("ev").value == Approx(1 - error / spread));
  CHECK(e.metric("cosine").value == Approx(1));
  CHECK(e.metric("dead").value == 1);
  CHECK(e.metric("dead").n == 4);
  // Targets 1, 2, 1 after inputs 0, 1, 2: logits (x0, x1, 0).
  const auto loss = [](double a, double b, std::size_t target) {
    const double l[3] = {a, b, 0};
    return std::log(std::exp(a) + std::exp(b) + 1) - l[target];
  };
  const double clean = (loss(1, 0, 1) + loss(0, 1, 2) + loss(2, 0, 1)) / 3;
  const double spliced = (loss(0.5, 0, 1) + loss(0, 1, 2) + loss(1, 0, 1)) / 3;
  const double ablated = std::log(3.0);
  CHECK(e.metric("ce_clean").value == Approx(clean));
  CHECK(e.metric("ce_clean").n == 3);
  CHECK(e.metric("ce_spliced").value == Approx(spliced));
  CHECK(e.metric("ce_ablated").value == Approx(ablated));
  CHECK(e.metric("delta_ce").value == Approx(spliced - clean));
  CHECK(e.metric("loss_recovered").value == Approx((ablated - spliced) / (ablated - clean)));
  CHECK(e.density_histogram[7] == 2);  // two features on half of the tokens
  CHECK(e.firings == std::vector<std::uint64_t>{2, 2, 0});
}

TEST_CASE("a transcoder is compared with and spliced in at its output site") {
  Tiny t;
  t.sae.architecture = "jumprelu_transcoder";
  t.sae.hook_name_out = kHookMlpOut;
  const Evaluation e = evaluate(t.model, t.sae, kText);
  CHECK(e.metric("mse").value == Approx((0.25 + 1 + 1 + 1) / 4));  // the target is zero
  CHECK(std::isnan(e.metric("fvu").value));                        // and does not vary
  CHECK(e.metric("ce_ablated").value == Approx(e.metric("ce_clean").value));
  CHECK(std::isnan(e.metric("loss_recovered").value));
}

TEST_CASE("an SAE that does not fit the model is refused by name") {
  Tiny t;
  t.sae.hook_name = kHookMlpPost;
  CHECK_THROWS_AS(evaluate(t.model, t.sae, kText), InputError);
  t.sae.hook_name = "blocks.7.hook_resid_mid";
  CHECK_THROWS_AS(evaluate(t.model, t.sae, kText), InputError);
}

TEST_CASE("best_feature takes the highest F1, the lowest id among equals") {
  const Tiny t;
  const BestFeature best = best_feature(t.model, t.sae, {TokenId(1)}, kText);
  CHECK(best.feature == FeatureId(1));
  CHECK(best.f1 == Approx(1));
  const BestFeature one = best_feature(t.model, t.sae, {TokenId(2)}, kText);
  CHECK(one.feature == FeatureId(0));
  CHECK(one.precision == Approx(0.5));
  CHECK(one.recall == Approx(1));
  CHECK(one.f1 == Approx(2.0 / 3));
  CHECK(best_feature(t.model, t.sae, {}, kText).f1 == 0);
  CHECK_THROWS_AS(best_feature(t.model, t.sae, {TokenId(3)}, kText), InputError);
}

TEST_CASE("standard classes are a partition of the vocabulary") {
  const Tokenizer bytes = Tokenizer::bytes();
  const auto classes = standard_classes(bytes);
  const auto of = class_of_token(classes, 256);
  CHECK(classes[of['7']].name == "digit");
  CHECK(classes[of['<']].name == "less");
  CHECK(classes[of['\'']].name == "quote");
  CHECK(classes[of['\n']].name == "newline");
  CHECK(classes[of[';']].name == "punctuation");
  CHECK(classes[of[200]].name == "unknown");
  CHECK_THROWS_AS(class_of_token(classes, 257), PreconditionError);
  CHECK(standard_classes(Tokenizer::characters("ab1")).size() == 3);
}

TEST_CASE("cards say where a feature fires and what it promotes") {
  const Tiny t;
  const Tokenizer tokenizer = Tokenizer::characters("ab");
  const CardSet set = make_cards(t.model, t.sae, &tokenizer, kText);
  REQUIRE(set.live == 2);
  REQUIRE(set.cards.size() == 2);
  const FeatureCard* card = set.find(FeatureId(0));
  REQUIRE(card != nullptr);
  CHECK(card->density == Approx(0.5));
  CHECK(card->mean_on == Approx(1.5));
  CHECK(card->maximum == 2);
  CHECK(card->p99 == 2);
  REQUIRE(card->contexts.size() == 2);
  CHECK(card->contexts[0].left == "ab");
  CHECK(card->contexts[0].value == 2);
  CHECK(card->promotes[0].token == TokenId(0));
  CHECK(card->promotes[0].weight == Approx(0.5 - 0.5 / 3));
  CHECK(set.find(FeatureId(1))->name == "`b` 100 %");
  CHECK(set.find(FeatureId(1))->name_f1 == Approx(2.0 * 2 / (2 + 2)));  // 2 firings, 2 `b`, 2 both
  CHECK(set.find(FeatureId(2)) == nullptr);
  const std::string json = cards_json(set, t.model, t.sae, &tokenizer, sha256("text"));
  CHECK(json == cards_json(set, t.model, t.sae, &tokenizer, sha256("text")));
  CHECK(nlohmann::json::parse(json).at("features").size() == 2);
}

TEST_CASE("sequences come from one part only and never exceed n_ctx") {
  const auto documents = test::random_documents(40);
  const Tokenizer tokenizer = Tokenizer::characters(test::all_text(documents));
  const Transformer model = test::random_model(tokenizer.size());
  std::size_t held_out = 0;
  for (const Document& document : documents) {
    held_out += part_of(document) == Part::held_out ? document.text.size() : 0;
  }
  const Sequences all = part_sequences(model, tokenizer, documents, Part::held_out, 1000000);
  CHECK(token_count(all) <= held_out);
  CHECK(token_count(all) + 40 >= held_out);
  for (const auto& sequence : all) {
    CHECK((sequence.size() >= 2 && sequence.size() <= model.config.n_ctx));
  }
  CHECK(token_count(part_sequences(model, tokenizer, documents, Part::held_out, 500)) <= 516);
  CHECK_THROWS_AS(part_sequences(model, tokenizer, {}, Part::held_out, 500), InputError);
}
