#include "assay/bounds/prove.hpp"
#include "assay/base/errors.hpp"
#include "assay/bounds/concrete.hpp"
#include "bounds_fixture.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

Request one(ClaimKind kind, std::uint32_t target, std::vector<TokenId> suffix) {
  return make_request(make_decoder("1/10", "1", "after"),
                      {{"c", kind, target, std::move(suffix), {}, {}}});
}
const float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("same inputs, same certificate bytes") {
  const Transformer model = fixture::random_model(1);
  Sae sae = fixture::random_sae(1, kHookMlpPost, 6);
  sae.b_enc.data[0] = -100;
  const Request request = one(ClaimKind::feature_off, 0, {TokenId(1), TokenId(2)});
  const ProofRun a = prove(model, &sae, request, {});
  REQUIRE(a.results[0].status == Status::holds);
  REQUIRE_FALSE(a.is_reduced);
  REQUIRE(a.statement.text == request.text);
  REQUIRE_FALSE(a.certificate.empty());
  REQUIRE(a.certificate == prove(model, &sae, request, {}).certificate);
}

TEST_CASE("what does not hold leaves a reduced statement of the proved claims") {
  const Transformer model = fixture::random_model(1);
  Sae sae = fixture::random_sae(1, kHookResidMid, 4);
  sae.b_enc.data[0] = -100;
  sae.b_enc.data[1] = 100;
  Request request = one(ClaimKind::feature_off, 0, {TokenId(1)});
  Claim on = request.claims[0];
  on.id = "d";
  on.target = 1;
  request = make_request(std::nullopt, {request.claims[0], on});
  const ProofRun run = prove(model, &sae, request, {});
  REQUIRE(run.results[1].status == Status::violated);
  REQUIRE(run.is_reduced);
  REQUIRE(run.statement.claims.size() == 1);
  REQUIRE(run.certificate.find(run.statement.digest.hex()) != std::string::npos);
  const ConcreteValues values = enclose(model, run.results[1].context);
  REQUIRE(enclose_pre_activation(sae, FeatureId(1), values).lo > 0.25);
}

TEST_CASE("NaN never proves") {
  const Request request = one(ClaimKind::feature_off, 0, {TokenId(1)});
  for (Tensor Transformer::*tensor :
       {&Transformer::W_E, &Transformer::W_Q, &Transformer::b_V, &Transformer::W_O,
        &Transformer::rel_bias, &Transformer::W_in, &Transformer::W_U}) {
    Transformer model = fixture::random_model(1);
    (model.*tensor).data[0] = kNan;
    const Sae sae = fixture::random_sae(1, kHookMlpPost, 6);
    REQUIRE_THROWS_AS(prove(model, &sae, request, {}), InputError);
  }
  const Transformer model = fixture::random_model(1);
  for (Tensor Sae::*tensor : {&Sae::W_enc, &Sae::b_enc, &Sae::b_dec, &Sae::threshold}) {
    Sae sae = fixture::random_sae(1, kHookMlpPost, 6);
    (sae.*tensor).data[0] = kNan;
    REQUIRE_THROWS_AS(prove(model, &sae, request, {}), InputError);
  }
  const OneLayer layer(model);
  const Suffix suffix(layer, {TokenId(1)});
  const Direction g{{1, 0, 0, 0}, {0, 0, 0, 0}};
  const Direction bad{{std::nan(""), 0, 0, 0}, {0, 0, 0, 0}};
  REQUIRE(suffix.accepts(HeadId(0), g, 1e9));
  REQUIRE_FALSE(suffix.accepts(HeadId(0), bad, 1e9));
  REQUIRE_FALSE(suffix.accepts(HeadId(0), g, std::nan("")));
  REQUIRE_FALSE(suffix.accepts(HeadId(0), g, std::numeric_limits<double>::infinity()));
}

TEST_CASE("outside the family: UNKNOWN with the reason; ids out of range: refused") {
  Transformer model = fixture::random_model(1);
  const Sae sae = fixture::random_sae(1, kHookMlpPost, 6);
  REQUIRE_THROWS_AS(prove(model, &sae, one(ClaimKind::feature_off, 3, {TokenId(1)}), {}),
                    InputError);
  REQUIRE_THROWS_AS(prove(model, &sae, one(ClaimKind::token_out, 5, {TokenId(1)}), {}), InputError);
  REQUIRE_THROWS_AS(prove(model, &sae, one(ClaimKind::token_out, 0, {TokenId(5)}), {}), InputError);
  REQUIRE_THROWS_AS(prove(model, nullptr, one(ClaimKind::feature_off, 0, {TokenId(1)}), {}),
                    UsageError);
  REQUIRE_THROWS_AS(
      prove(model, &sae, one(ClaimKind::token_out, 0, std::vector<TokenId>(5, TokenId(1))), {}),
      InputError);
  model.config.attention_window = 0;
  const ProofRun run = prove(model, &sae, one(ClaimKind::token_out, 0, {TokenId(1)}), {});
  REQUIRE(run.results[0].status == Status::unknown);
  REQUIRE(run.results[0].reason.find("window") != std::string::npos);
  REQUIRE(run.certificate.empty());
}

TEST_CASE("WITNESS: support is decided only off the tie") {
  const Decoder decoder = make_decoder("1/10", "1", "after");
  const std::vector<Interval> clear{Interval(1.0), Interval(0.0), Interval(-5.0)};
  REQUIRE(surely_emittable(decoder, clear, TokenId(0)));
  REQUIRE(surely_emittable(decoder, clear, TokenId(1)));
  REQUIRE_FALSE(surely_emittable(decoder, clear, TokenId(2)));
  REQUIRE(surely_excluded(decoder, clear, TokenId(2)));
  REQUIRE_FALSE(surely_excluded(decoder, clear, TokenId(1)));
  const std::vector<Interval> wide{Interval(2.0, 3.0), Interval(0.0, 1.0)};
  REQUIRE_FALSE(surely_emittable(decoder, wide, TokenId(1)));
  REQUIRE_FALSE(surely_excluded(decoder, wide, TokenId(1)));
  const Decoder greedy = make_decoder("1", "1", "after");
  REQUIRE(surely_emittable(greedy, clear, TokenId(0)));
  const std::vector<Interval> tie{Interval(1.0), Interval(1.0)};
  REQUIRE_FALSE(surely_emittable(greedy, tie, TokenId(0)));
  REQUIRE_FALSE(surely_excluded(greedy, tie, TokenId(0)));
  const std::vector<Interval> broken{Interval(std::nan("")), Interval(1.0)};
  REQUIRE_FALSE(surely_emittable(decoder, broken, TokenId(0)));
  REQUIRE_FALSE(surely_emittable(decoder, broken, TokenId(1)));
  REQUIRE_FALSE(surely_excluded(decoder, broken, TokenId(0)));
}
