#include "assay/model/decoder_rule.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/model/decoder.hpp"

using namespace assay;
using Kind = DecoderRule::Kind;
using Mask = DecoderRule::Mask;

namespace {

std::vector<std::size_t> kept(const DecoderRule& rule, const std::vector<double>& logits) {
  std::vector<std::size_t> out;
  for (const TokenId t : token_law(rule, logits).tokens) {
    out.push_back(t.at());
  }
  return out;
}

DecoderRule rule_of(Kind kind, Rational share = {1, 1}, Rational temperature = {1, 1},
                    bool first = false, std::size_t k = 1) {
  return {kind, share, temperature, first, k, Mask::none, {}};
}

using Ids = std::vector<std::size_t>;

}  // namespace

TEST_CASE("min-p keeps and draws what decoder.hpp says, in both orders") {
  Random random(5);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> logits;
    for (int t = 0; t < 12; ++t) {
      logits.push_back(8 * random.unit());
    }
    for (const bool before : {false, true}) {
      const Decoder plain{
          {1, 5}, {3, 2}, before ? TemperatureOrder::before : TemperatureOrder::after};
      const Support expected = support(plain, logits);
      const TokenLaw law = token_law(rule_of(Kind::min_p, {1, 5}, {3, 2}, before), logits);
      REQUIRE(law.tokens == expected.tokens);
      for (std::size_t i = 0; i < law.tokens.size(); ++i) {
        CHECK(law.probabilities[i] == Approx(expected.probabilities[i]).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("each decoder keeps what its rule says") {
  const std::vector<double> logits = {2, 3, 1, 3, -4};  // two tie on top
  CHECK(kept(rule_of(Kind::greedy), logits) == Ids{1});
  CHECK(token_law(rule_of(Kind::greedy), logits).slack == 0);
  CHECK(kept(rule_of(Kind::plain), logits) == Ids{0, 1, 2, 3, 4});
  CHECK(kept(rule_of(Kind::top_k, {1, 1}, {1, 1}, false, 1), logits) == Ids{1, 3});
  CHECK(kept(rule_of(Kind::top_k, {1, 1}, {1, 1}, false, 3), logits) == Ids{0, 1, 3});
  CHECK(token_law(rule_of(Kind::top_k, {1, 1}, {1, 1}, false, 3), logits).slack == Approx(1));
  CHECK(kept(rule_of(Kind::top_k, {1, 1}, {1, 1}, false, 9), logits) == Ids{0, 1, 2, 3, 4});
  CHECK(kept(rule_of(Kind::min_p), logits) == Ids{1, 3});
  // softmax: .145 .394 .053 .394 .0004; after both 3s .788
  CHECK(kept(rule_of(Kind::top_p, {3, 4}), logits) == Ids{1, 3});
  CHECK(kept(rule_of(Kind::top_p, {4, 5}), logits) == Ids{0, 1, 3});
  CHECK(kept(rule_of(Kind::top_p, {1, 3}), logits) == Ids{1, 3});  // ties stay together
  // softmax(l / 10) is nearly even: more is needed for the same share
  CHECK(kept(rule_of(Kind::top_p, {3, 4}, {10, 1}, true), logits) == Ids{0, 1, 2, 3});
  CHECK(kept(rule_of(Kind::top_p, {3, 4}, {10, 1}, false), logits) == Ids{1, 3});
}

TEST_CASE("a mask before the cut changes what is cut, one after it drops from what is kept") {
  const std::vector<double> logits = {5, 4, 1, 0};
  DecoderRule rule = rule_of(Kind::min_p, {1, 10});
  CHECK(kept(rule, logits) == Ids{0, 1});
  rule.allowed = {TokenId(2), TokenId(3)};
  rule.mask = Mask::before;
  CHECK(kept(rule, logits) == Ids{2, 3});
  rule.mask = Mask::after;
  CHECK(kept(rule, logits).empty());
  CHECK_FALSE(draw(rule, logits, 0.5).token);  // the run ends
  rule.allowed = {TokenId(1), TokenId(3)};
  CHECK(kept(rule, logits) == Ids{1});
  CHECK(token_law(rule, logits).probabilities == std::vector<double>{1});
  // what is left lies so far below the largest that e^(l/T) is no double
  const std::vector<double> far = {4000, 0, 1};
  DecoderRule tail = rule_of(Kind::plain);
  tail.mask = Mask::after;
  tail.allowed = {TokenId(1), TokenId(2)};
  CHECK(token_law(tail, far).probabilities[1] == Approx(std::exp(1) / (1 + std::exp(1))));
}

TEST_CASE("a draw takes the token whose share has u, and says how near another was") {
  const std::vector<double> logits = {std::log(0.2), std::log(0.5), std::log(0.3)};
  const DecoderRule rule = rule_of(Kind::plain);
  CHECK(draw(rule, logits, 0).token == TokenId(0));
  CHECK(draw(rule, logits, 0.19).token == TokenId(0));
  CHECK(draw(rule, logits, 0.21).token == TokenId(1));
  CHECK(draw(rule, logits, 0.21).slack == Approx(0.01));
  CHECK(draw(rule, logits, 0.69).slack == Approx(0.01));
  CHECK(draw(rule, logits, std::nextafter(1.0, 0.0)).token == TokenId(2));
  CHECK(draw(rule, logits, 0.7 + 1e-12).slack < kNearTie);
}

TEST_CASE("a logit that is not a number is refused, not drawn around") {
  CHECK_THROWS_AS(token_law(rule_of(Kind::plain), std::vector<double>{0, NAN}), Error);
  CHECK_THROWS_AS(token_law(rule_of(Kind::greedy), std::vector<double>{0, INFINITY}), Error);
}
