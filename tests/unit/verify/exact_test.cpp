#include "assay/verify/exact.hpp"

#include "bigram.hpp"
#include "catch.hpp"

using namespace assay;

namespace {

/// Exact mode on a bigram model whose runs are known.
struct ExactScene {
  Transformer model;
  Sae sae;
  spec::Spec spec;
  verify::ExactInput input;

  ExactScene(const std::vector<std::vector<int>>& next, const std::string& declarations)
      : model(test::bigram_model(next)), sae(test::one_hot_sae(next.size())) {
    spec = spec::parse_spec(
        "spec \"t\" version 1; use model M = \"m\"; use sae T = \"t\";" + declarations, "t");
    for (spec::Use& use : spec.uses) {
      use.sha256 = Digest{};
    }
    input.subject.spec = &spec;
    input.subject.model = &model;
    input.subject.saes["T"] = &sae;
    input.emission = automata::Emission::parse("min-p:0.1");
    input.prompts.sets = {{TokenId(0)}};
    input.wants_classes = input.wants_certificate = true;
  }
  ExactScene(const ExactScene&) = delete;
  ExactScene& operator=(const ExactScene&) = delete;
};

// 0 -> 1 -> 2 -> 0, and 3 -> 3 apart from them
const std::vector<std::vector<int>> kCycle = {
    {0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}};

}  // namespace

TEST_CASE("exact: verdicts, counts and classes on a cycle of three tokens") {
  ExactScene scene(kCycle,
                   "ap A = tok = id 0; ap D = tok = id 3; ap On = feat(T/2) > 0;"
                   "prop no_d: all G !D; prop late: all G(A -> X !A);"
                   "prop no_a: all G !A; prop on: all G[0:0] !On;");
  const verify::ExactResult result = verify::check_exact(scene.input);
  REQUIRE(result.properties.size() == 4);
  CHECK(result.properties[0].verdict_name() == std::string("holds"));
  CHECK(result.properties[0].level() == std::string("PROVED"));
  CHECK(result.properties[0].states == 5);  // 0, 01, 012, 120, 201
  CHECK(result.properties[0].witnessed == 5);
  CHECK(result.properties[0].absent == 15);
  CHECK(result.properties[0].open == 0);
  CHECK(result.properties[0].classes == 1);  // nothing that D can tell apart
  CHECK(result.properties[1].classes == 3);  // how far the next A is
  const auto& run = std::get<verify::ExactViolated>(result.properties[2].verdict);
  CHECK(run.prompt == std::vector<TokenId>{TokenId(0)});
  CHECK(run.run.tokens == std::vector<TokenId>{TokenId(1), TokenId(2), TokenId(0)});
  CHECK(result.properties[3].verdict_name() == std::string("holds"));  // 1 comes first, not 2
  CHECK(result.code() == ExitCode::violated);
  CHECK(result.runs ==
        "assay-runs 1\ndecoder min-p 1/10 temperature 1 order after\nprompts sets 0\nmax-new "
        "any\nend\n");
  CHECK(result.certificate.find("kind exact\n") != std::string::npos);
}

TEST_CASE("exact: ties stay open, and a violation that hangs on one is UNKNOWN") {
  ExactScene scene(kCycle, "ap C = tok = id 2; prop no_c: all G !C;");
  scene.model.W_U.data[2] = scene.model.W_U.data[1];  // after 0, tokens 1 and 2 are equal
  scene.input.emission = automata::Emission::parse("greedy");
  scene.input.max_new = 1;
  const verify::ExactResult result = verify::check_exact(scene.input);
  const auto& unknown = std::get<verify::Unknown>(result.properties[0].verdict);
  CHECK(unknown.reason.find("not surely in the decoder's support") != std::string::npos);
  CHECK(result.properties[0].open == 2);
  CHECK(result.code() == ExitCode::unknown);
}

TEST_CASE("exact: a horizon, liveness and a property that nothing violates") {
  ExactScene scene(
      kCycle,
      "ap A = tok = id 0; prop two: all G !A; prop live: all F A; prop valid: all G(A | !A);");
  scene.input.max_new = 2;
  const verify::ExactResult result = verify::check_exact(scene.input);
  CHECK(result.properties[0].verdict_name() == std::string("holds"));  // A is the third token
  CHECK(result.properties[1].verdict_name() == std::string("unknown"));
  CHECK(result.properties[2].verdict_name() == std::string("unknown"));
}

TEST_CASE("exact: models outside the family are refused by name") {
  ExactScene scene(kCycle, "ap D = tok = id 3; prop no_d: all G !D;");
  const auto refused = [&](auto change, const char* words) {
    const TransformerConfig kept = scene.model.config;
    change(scene.model.config);
    CHECK_THROWS_WITH(verify::check_exact(scene.input), Catch::Contains(words));
    scene.model.config = kept;
  };
  refused([](auto& c) { c.attention_window = 0; }, "full attention");
  refused([](auto& c) { c.positions = PosKind::standard; }, "absolute positions");
  refused([](auto& c) { c.positions = PosKind::rotary; }, "rotary");
  refused([](auto& c) { c.n_layers = 2; }, "deeper");
  refused([](auto& c) { c.norm = NormKind::layer_norm; }, "LayerNorm");
  refused([](auto& c) { c.act_fn = ActFn::gelu_erf; }, "another activation");
}
