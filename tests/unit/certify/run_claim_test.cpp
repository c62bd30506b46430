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
