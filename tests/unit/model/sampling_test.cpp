#include "assay/model/sampling.hpp"

#include <catch.hpp>
#include <cmath>

#include "assay/base/errors.hpp"

using namespace assay;

namespace {

/// Next-token probabilities .5 .3 .2 whatever came before; an output above 2 ends a run.
class Coin : public TokenEngine {
 public:
  explicit Coin(double noise) : noise_(noise) {}
  Matrix append(std::span<const std::size_t> rows, std::span<const TokenId> /*tokens*/) override {
    Matrix out{rows.size(), 3, {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const double p : {0.5, 0.3, 0.2}) {
        out.data.push_back(std::log(p) + noise_ * static_cast<double>(i + 1));
      }
    }
    return out;
  }
  std::vector<double> alone(std::span<const TokenId> /*context*/) override {
    ++alone_;
    return {std::log(0.5), std::log(0.3), std::log(0.2)};
  }
  std::size_t alone_ = 0;

 private:
  double noise_;
};

DecoderRule rule_of(DecoderRule::Kind kind) {
  DecoderRule rule;
  rule.kind = kind;
  return rule;
}

const std::vector<std::vector<TokenId>> kPrompts(200, {TokenId(0), TokenId(1)});

}  // namespace

TEST_CASE("a run's tokens depend on its number, not on those beside it") {
  Coin coin(0);
  const DrawPlan plan{rule_of(DecoderRule::Kind::plain), 9, 20, 3};
  const auto all = draw_side_by_side(coin, plan, 0, kPrompts);
  const auto part = draw_side_by_side(coin, plan, 50, {kPrompts.begin(), kPrompts.begin() + 7});
  for (std::size_t i = 0; i < part.size(); ++i) {
    CHECK(part[i].tokens == all[50 + i].tokens);
  }
  std::array<std::size_t, 3> counts{};
  for (const SampledRun& run : all) {
    REQUIRE(run.tokens.size() == 20);
    for (const TokenId t : run.tokens) {
      ++counts[t.at()];
    }
  }
  CHECK(std::abs(static_cast<double>(counts[0]) - 2000) < 150);
  CHECK(std::abs(static_cast<double>(counts[1]) - 1200) < 150);
  Coin noisy(1e-14);  // as a batched engine may round
  CHECK(draw_side_by_side(noisy, plan, 0, kPrompts).back().tokens == all.back().tokens);
}

TEST_CASE("a near tie is drawn from the context alone") {
  // greedy with a tie of the two best: every draw asks for the context alone
  class Tie : public Coin {
   public:
    Tie() : Coin(0) {}
    Matrix append(std::span<const std::size_t> rows, std::span<const TokenId> /*t*/) override {
      Matrix out{rows.size(), 3, {}};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        out.data.insert(out.data.end(), {1.0, 1.0 + 1e-12, 0.0});
      }
      return out;
    }
  } tie;
  const DrawPlan plan{rule_of(DecoderRule::Kind::greedy), 9, 2, 3};
  const auto runs = draw_side_by_side(tie, plan, 0, {{TokenId(2)}});
  CHECK(tie.alone_ == 2);
  CHECK(runs[0].tokens == std::vector<TokenId>{TokenId(0), TokenId(0)});
}

TEST_CASE("an output that is no token ends a run") {
  Coin coin(0);
  const DrawPlan plan{rule_of(DecoderRule::Kind::plain), 1, 50,
                      1};  // tokens 1 and 2 cannot be read back
  for (const SampledRun& run : draw_side_by_side(coin, plan, 0, kPrompts)) {
    CHECK(run.is_over);
    CHECK(run.tokens.size() < 50);
  }
}

TEST_CASE("runs are written and read back, and broken lines refused by number") {
  SampledRun a;
  a.prompt = {TokenId(3)};
  a.tokens = {TokenId(1), TokenId(0)};
  SampledRun b = a;
  b.is_over = true;
  b.tokens.clear();
  const std::string text = runs_jsonl({a, b});
  CHECK(text ==
        "{\"over\":false,\"prompt\":[3],\"tokens\":[1,0]}\n{\"over\":true,\"prompt\":[3],"
        "\"tokens\":[]}\n");
  CHECK(parse_runs_jsonl(text, "r", 4) == std::vector<SampledRun>{a, b});
  b.slack = 0.25;
  CHECK(parse_runs_jsonl(runs_jsonl({b}, true), "r", 4) == std::vector<SampledRun>{b});
  for (const char* bad : {"{}\n", "[]\n", "{\"over\":1,\"prompt\":[3],\"tokens\":[]}\n",
                          "{\"over\":true,\"prompt\":[],\"tokens\":[]}\n",
                          "{\"over\":true,\"prompt\":[4],\"tokens\":[]}\n",
                          "{\"over\":true,\"prompt\":[3],\"tokens\":[-1]}\n", "{\"over\":true"}) {
    CHECK_THROWS_AS(parse_runs_jsonl(bad, "r", 4), InputError);
  }
}
