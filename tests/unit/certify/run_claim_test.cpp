#include "../../../certify/sign/run_claim.hpp"

#include <catch.hpp>

using assay::certify::parse_run_claim;

namespace {

const std::string kReal = " (real arithmetic): ";
const std::string kDomain =
    "any prompt of 1 to 3 tokens, decoder greedy, any number of new tokens (12 pairs): ";

}  // namespace

TEST_CASE("the checker's words about runs say whose runs, and whether the claim holds") {
  struct Row {
    const char *conclusion, *formal, *who;
    bool holds;
  };
  for (const Row& row :
       {Row{"HOLDS of every run of the model", "all G p", "every run of the model", true},
        Row{"HOLDS of every endless run of the model", "all F p", "every endless run of the model",
            true},
        Row{"VIOLATED by the model", "all G p", "one run of the model", false},
        Row{"HOLDS of a run of the model", "some F p", "one run of the model", true},
        Row{"VIOLATED by every run of the model", "some F p", "every run of the model", false},
        Row{"VIOLATED by every endless run of the model", "some G F p",
            "every endless run of the model", false}}) {
    const auto claim = parse_run_claim(row.conclusion + kReal + kDomain + row.formal);
    REQUIRE(claim);
    REQUIRE(claim->holds == row.holds);
    REQUIRE(claim->formal == row.formal);
    REQUIRE(claim->domain_text() ==
            std::string(row.who) +
                ": any prompt of 1 to 3 tokens, decoder greedy, any number of new tokens");
  }
}

TEST_CASE("a conclusion about `all` is none about `some`, and unknown words are refused") {
  for (const char* words : {"HOLDS of a run of the model", "VIOLATED by every run of the model",
                            "HOLDS of every run of a model", "HOLDS of most runs of the model"}) {
    REQUIRE(!parse_run_claim(words + kReal + kDomain + "all G p"));
  }
  for (const char* words : {"HOLDS of every run of the model", "VIOLATED by the model",
                            "HOLDS of every endless run of the model"}) {
    REQUIRE(!parse_run_claim(words + kReal + kDomain + "some G p"));
  }
  REQUIRE(!parse_run_claim("HOLDS of every run of the model: all G p"));
}

TEST_CASE("a bound over boxes of contexts is one over every prompt, whatever the number of boxes") {
  const std::string after =
      " (real arithmetic): any prompt of 1 to 64 tokens, decoder min-p 1/10 temperature 1 order "
      "after, any number of new tokens: Pmax <= 0.99 [ F a ], within 3 tokens (φ is certain after "
      "some prefix): P(φ) at most 3/4";
  const std::string any = "HOLDS for every prompt and every choice of nature";
  const auto plain = parse_run_claim(any + after),
             boxes = parse_run_claim(any + ", by 2771 boxes" + after);
  REQUIRE(plain);
  REQUIRE(boxes);
  REQUIRE(boxes->domain_text() == plain->domain_text());
  REQUIRE(boxes->bound == "3/4");
  REQUIRE(boxes->threshold == "0.99");
  REQUIRE(boxes->holds);
  for (const char* size :
       {", by boxes", ", by 27x boxes", ", by 2771 boxes of mine", ", by  boxes"}) {
    REQUIRE_FALSE(parse_run_claim(any + size + after));
  }
}
