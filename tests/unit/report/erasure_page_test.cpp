#include "assay/report/erasure_page.hpp"

#include "catch.hpp"

using assay::certify::Level;
using assay::report::erasure_never_claims;
using assay::report::ErasurePage;
using assay::report::render_erasure_page;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ErasurePage page() {
  ErasurePage p;
  p.name = "digit";
  p.site = "blocks.0.mlp.hook_post";
  p.bypass = "the residual stream";
  p.map = "leace, rank 1 of 64 dimensions";
  p.files = {{"eraser.json", assay::sha256("x")}};
  p.accepted = {{"residual", "digit-fit", "217/1000", true, Level::observed, "no affine predictor"},
                {"unread", "unread", "", true, Level::proved, "no neuron"}};
  p.not_claimed = {"anything about cats"};
  p.commands = {"assay-check erasure.cert"};
  return p;
}

}  // namespace

TEST_CASE("the erasure page says what is not claimed, whatever else it says") {
  for (const ErasurePage& p : {page(), ErasurePage{}}) {
    const std::string html = render_erasure_page(p);
    REQUIRE(html == render_erasure_page(p));
    for (const std::string& line : erasure_never_claims()) {
      REQUIRE(has(html, line));
    }
    REQUIRE_FALSE(has(html, "<script"));
    REQUIRE_FALSE(has(html, "http://"));
    REQUIRE(has(html, "default-src 'none'"));
    REQUIRE(has(html, "Nothing was tried."));
  }
  const std::string html = render_erasure_page(page());
  REQUIRE(has(html, "Anything about cats."));
  REQUIRE(has(html, "at most 217/1000"));
  REQUIRE(has(html, "the residual stream"));
  REQUIRE_FALSE(has(html, "Nothing about it is certified"));
  REQUIRE(has(render_erasure_page({}), "Nothing about it is certified"));
}

TEST_CASE("hostile text reaches the erasure page as text only") {
  const std::string evil = "\"'><script>alert(1)</script>\x01\xe2\x80\xae";
  ErasurePage p;
  p.name = p.site = p.bypass = p.map = evil;
  p.files = {{evil, {}}};
  p.accepted = {{evil, evil, evil, true, Level::observed, evil}};
  p.figures = p.attacks = {{evil, evil, evil, {evil}, {{evil}}}};
  p.attack_pictures = {"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>x</script></svg>", evil};
  p.not_claimed = p.commands = {evil};
  const std::string html = render_erasure_page(p);
  REQUIRE_FALSE(has(html, "<script"));
  REQUIRE_FALSE(has(html, "\xe2\x80\xae"));
  REQUIRE(has(html, "A picture is left out"));
}
