#include "../../../certify/case/remedy.hpp"

#include <cmath>

#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::certify;

namespace {

std::vector<TokenId> tokens(std::initializer_list<std::uint32_t> ids) {
  std::vector<TokenId> out;
  for (const std::uint32_t id : ids) {
    out.emplace_back(id);
  }
  return out;
}

Claim claim(const std::string& id, Status status, Level level) {
  Claim c;
  c.id = id;
  c.kind = "exact";
  c.formal = "all G ( ! p )";
  c.domain = "every run of the model: prompts in 3, decoder min-p 1/10 temperature 1 order after";
  c.status = status;
  c.level = level;
  return c;
}

/// What the comparison says of one claim that held, when `change` is done to the new one.
template <class Change>
std::string broken(const Change& change) {
  Statement old, now;
  old.claims = {claim("c.p", Status::holds, Level::proved)};
  now.claims = old.claims;
  change(now.claims);
  const auto changes = compare_claims(old, now, "min-p 1/10 temperature 1 order after",
                                      "min-p 1/4 temperature 1 order after");
  return changes.at(0).broken;
}

}  // namespace

TEST_CASE("a decoder's words take another min-p and keep the rest", "[remedy]") {
  CHECK(with_min_p("min-p:0.1", {31, 100}) == "min-p:31/100");
  CHECK(with_min_p("min-p:1/10:0.7:before", {1, 1}) == "min-p:1:0.7:before");
  CHECK_THROWS_AS(with_min_p("greedy", {1, 2}), PreconditionError);
}

TEST_CASE("an allow-list is every token but the masked ones", "[remedy]") {
  CHECK(all_but(tokens({16}), 96) == "0-15,17-95");
  CHECK(all_but(tokens({0, 95}), 96) == "1-94");
  CHECK(all_but(tokens({1, 3}), 5) == "0,2,4");
  CHECK(all_but(tokens({}), 2) == "0-1");
  CHECK_THROWS_AS(all_but(tokens({0, 1}), 2), PreconditionError);
}

TEST_CASE("serials are counted on", "[remedy]") {
  CHECK(next_serial("9") == "10");
  CHECK(next_serial("2026-07") == "2026-07.1");
  CHECK(next_serial("99999999999999999999") == "99999999999999999999.1");
}

TEST_CASE("a question is a resolved specification without the digests of what it uses",
          "[remedy]") {
  const std::string spec =
      "spec \"t\" version 1;\nuse model M = \"m\" sha256 00ff;\nap On = feat(T/3) > 0;\n";
  const std::string question = question_of(spec);
  CHECK(question.find("sha256") == std::string::npos);
  CHECK(question.find("use model M = \"m\";") != std::string::npos);
  CHECK(question !=
        question_of("spec \"t\" version 1;\nuse model M = \"m\";\nap On = feat(T/4) > 0;\n"));
}

TEST_CASE("a run's tokens are read from the words that the checker accepted", "[remedy]") {
  const RunTokens run = run_tokens(
      "one run of the model: prompt 8 9 then 29 30, decoder min-p 1/10 temperature 1 order after");
  CHECK(run.prompt == tokens({8, 9}));
  CHECK(run.run == tokens({29, 30}));
  CHECK(run_tokens("every run of the model: prompts any 64, decoder greedy").run.empty());
}

TEST_CASE(
    "the cost of a token that cannot be emitted is finite, and no token's is below that of a sure "
    "one",
    "[remedy]") {
  CHECK(smoothed(0, 100) == Approx(1.0 / 10000));
  CHECK(smoothed(1, 100) == Approx(0.9901));
  double sum = 0;
  for (const double q : {0.5, 0.25, 0.25, 0.0}) {
    sum += smoothed(q, 4);
  }
  CHECK(sum == Approx(1));
  CHECK(std::isfinite(std::log(smoothed(0, 1U << 20U))));
}

TEST_CASE("what held is kept only when it holds as it did", "[remedy]") {
  using Claims = std::vector<Claim>;
  CHECK(broken([](Claims&) {}).empty());
  CHECK(broken([](Claims& c) {
          c[0].domain =
              "every run of the model: prompts in 3, decoder min-p 1/4 temperature 1 order after";
        }).empty());
  CHECK(broken([](Claims& c) { c.clear(); }) == "it is not asked any more");
  CHECK(broken([](Claims& c) {
          c[0].status = Status::unknown;
          c[0].reason = "a budget";
        }) == "it is UNKNOWN: a budget");
  CHECK(broken([](Claims& c) { c[0].status = Status::violated; }) == "it is VIOLATED (PROVED)");
  CHECK(broken([](Claims& c) { c[0].level = Level::observed; }) == "its level fell to OBSERVED");
  CHECK(broken([](Claims& c) { c[0].formal = "all G p"; }) == "it is another formula");
  CHECK(broken([](Claims& c) { c[0].kind = "spec"; }) == "it is of another kind");
  CHECK(broken([](Claims& c) { c[0].kind = "refined"; }).empty());
  CHECK_FALSE(
      broken([](Claims& c) {
        c[0].domain =
            "every run of the model: prompts in 4, decoder min-p 1/4 temperature 1 order after";
      }).empty());
}

TEST_CASE("claims of both certificates are listed, and only what held can break", "[remedy]") {
  Statement old, now;
  old.claims = {claim("c.v", Status::violated, Level::proved),
                claim("c.u", Status::unknown, Level::assumed)};
  now.claims = {claim("c.v", Status::holds, Level::proved),
                claim("c.n", Status::unknown, Level::assumed)};
  const auto changes = compare_claims(old, now, "", "");
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].before == "VIOLATED (PROVED)");
  CHECK(changes[0].after == "HOLDS (PROVED)");
  CHECK(changes[1].after == "not asked");
  CHECK(changes[1].broken.empty());
  CHECK(changes[2].before == "not asked");
}
