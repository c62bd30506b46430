#include "assay/bounds/request.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::bounds;

TEST_CASE("a request is read line by line and written back") {
  const std::string text =
      "assay-request 1\n# a comment\ndecoder min-p 1/10 temperature 3/2 order before\n"
      "feature-off a 17 suffix 3 4 5\ntoken-out b 60 suffix 5\nend\n";
  const Request r = parse_request(text, "r");
  REQUIRE(r.claims.size() == 2);
  REQUIRE(r.claims[0].kind == ClaimKind::feature_off);
  REQUIRE(r.claims[0].target == 17);
  REQUIRE(r.claims[0].suffix == std::vector<TokenId>{TokenId(3), TokenId(4), TokenId(5)});
  REQUIRE(r.decoder->temperature == Rational{3, 2});
  REQUIRE(r.digest == sha256(text));
  REQUIRE(make_request(r.decoder, r.claims, {"a comment"}).text == text);
}

TEST_CASE("a request that is not of the form is refused") {
  const auto body = [](const std::string& lines) { return "assay-request 1\n" + lines + "end\n"; };
  const std::string decoder = "decoder min-p 1/10 temperature 1 order after\n";
  const std::vector<std::string> bad{
      "",
      "assay-request 1\nend\n",
      "assay-request 2\nfeature-off a 1 suffix 1\nend\n",
      "assay-request 1\nfeature-off a 1 suffix 1\nend",
      "assay-request 1\nfeature-off a 1 suffix 1\n",
      body(""),
      body("feature-off a 1 suffix\n"),
      body("feature-off a 01 suffix 1\n"),
      body("feature-off a -1 suffix 1\n"),
      body("feature-off a 2147483648 suffix 1\n"),
      body("feature-off a 1  suffix 1\n"),
      body("feature-off a 1 suffix 1 \n"),
      body(" feature-off a 1 suffix 1\n"),
      body("\nfeature-off a 1 suffix 1\n"),
      body("feature-off a 1 suffix 1\nfeature-off a 2 suffix 1\n"),
      body("feature-off 1a 1 suffix 1\n"),
      body("feature-of a 1 suffix 1\n"),
      body("token-out a 1 suffix 1\n"),
      body(decoder + decoder + "token-out a 1 suffix 1\n"),
      body("decoder min-p 0 temperature 1 order after\ntoken-out a 1 suffix 1\n"),
      body("decoder min-p 11/10 temperature 1 order after\ntoken-out a 1 suffix 1\n"),
      body("decoder min-p 0.1 temperature 1 order after\ntoken-out a 1 suffix 1\n"),
      body("decoder min-p 1/0 temperature 1 order after\ntoken-out a 1 suffix 1\n"),
      body("decoder min-p 1/10 temperature 1 order between\ntoken-out a 1 suffix 1\n"),
      body("residual r data 00 max-r2 1/100\n"),
      body("feature-off a 1 suffix 1\r\n")};
  for (const std::string& text : bad) {
    CAPTURE(text);
    REQUIRE_THROWS_AS(parse_request(text, "r"), InputError);
  }
}
