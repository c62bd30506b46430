#include "assay/report/render.hpp"

#include "assay/base/errors.hpp"
#include "assay/certify/exhibits.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::report::clean_svg;
using assay::report::render_html;
using fixture::Case;

namespace {

std::string html_of(const Case& c) {
  return render_html({statement_json(c.statement), {"SHA256:abc"}, c.paths.evidence});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the report is the same bytes each time, without script or address") {
  const Case c;
  const std::string html = html_of(c);
  REQUIRE(html == html_of(c));
  REQUIRE_FALSE(has(html, "<script"));
  REQUIRE_FALSE(has(html, "http://"));
  REQUIRE_FALSE(has(html, "https://"));
  REQUIRE(has(html, "default-src 'none'"));
  REQUIRE(has(html, "<html lang=\"en\">"));
  REQUIRE(has(html, "class=\"skip\""));
  REQUIRE(has(html, "Nothing is said about other models."));
  REQUIRE(has(html, "class=\"forest\""));
  REQUIRE(has(html, "For <b>every</b> input in the domain stated below"));
}

TEST_CASE("hostile text reaches the page as text only") {
  Case c;
  const std::string evil = "\"'><script>alert(1)</script>\x01\xe2\x80\xae\x1b[2J";
  const std::string nul("a\0b", 3);
  c.statement.certificate.name = evil;
  c.statement.certificate.scope = nul;
  c.statement.claims[0].text = evil;
  c.statement.claims[0].unit = evil;
  c.statement.claims[0].formal = "](javascript:alert(1)) ::error::";
  c.statement.assumptions[0].text = evil;
  c.statement.not_claimed = {evil};
  c.statement.figures = {{evil, evil, evil, evil}};
  c.statement.tables = {{"erasure", evil, evil, {evil}, {{evil}}}, {evil, evil, evil, {evil}, {}}};
  c.statement.environment[std::string("k<b>")] = evil;
  add_evidence(
      c.statement, c.paths, "cards.json", kCardsRole,
      feature_cards_json({{1, evil, evil, evil, {{evil, evil}}, {{evil, evil, evil, evil}}}}));
  add_evidence(c.statement, c.paths, "run.json", kCounterexampleRole,
               counterexample_json({"c", evil, evil, {{evil, evil, evil, {{evil, evil}}}}}));
  c.statement.claims[0].status = Status::violated;
  c.statement.claims[0].counterexample = "run.json";
  const std::string html = html_of(c);
  REQUIRE_FALSE(has(html, "<script"));
  REQUIRE_FALSE(has(html, "\xe2\x80\xae"));
  REQUIRE_FALSE(has(html, "\x1b"));
  REQUIRE(html.find('\0') == std::string::npos);
  REQUIRE(html.find('\x01') == std::string::npos);
  REQUIRE(has(html, "&lt;script&gt;alert(1)&lt;/script&gt;\\x01\\xe2\\x80\\xae\\x1b[2J"));
  REQUIRE(has(html, "a\\x00b"));
}

TEST_CASE("evidence that is missing or altered is withheld, never dropped") {
  Case c;
  add_evidence(c.statement, c.paths, "cards.json", kCardsRole,
               feature_cards_json({{1, "digits", "mlp", "", {}, {}}}));
  REQUIRE(has(html_of(c), "digits"));
  fixture::put(c.paths.evidence / "cards.json", "{}");
  REQUIRE(has(html_of(c), "Withheld."));
  fixture::fs::remove(c.paths.evidence / "cards.json");
  REQUIRE(has(html_of(c), "Withheld."));
  add_evidence(c.statement, c.paths, "odd.json", kAutomatonRole, "{\"states\":[1]}");
  REQUIRE(has(html_of(c), "not of the documented form"));
}

TEST_CASE("the verdict and its words follow the claims") {
  Case c;
  REQUIRE(has(html_of(c), "The one claim holds"));
  c.statement.claims[0].status = Status::unknown;
  c.statement.claims[0].reason = "Node budget of 10 reached.";
  const std::string html = html_of(c);
  REQUIRE(has(html, "Treat as <b>not shown</b>"));
  REQUIRE_FALSE(has(html, "For <b>every</b> input in the domain"));
  c.statement.claims.clear();
  REQUIRE(has(html_of(c), "No claim was checked. Nothing is shown."));
  REQUIRE_THROWS_AS(render_html({"{}", {}, ""}), assay::InputError);
}

TEST_CASE(
    "the erasure page shows before, after and the ceiling of its own claim, and what is not "
    "claimed") {
  Case c;
  c.statement.tables = {{"erasure-residual",
                         "Left",
                         "",
                         {"Concept", "Base rate", "Rows", "Documents", "before", "after", "d/n"},
                         {{"digit, fit", "1 %", "300", "5", "0.42", "4.385e-05", "0.002"}}}};
  std::string html = html_of(c);
  REQUIRE(has(html, "width:42.00%"));
  REQUIRE_FALSE(has(html, "class=\"ceiling\""));
  REQUIRE(has(html, "That the model has forgotten the concept"));
  c.statement.claims[0].id = "erasure.digit-fit";
  c.statement.claims[0].bound = "10963/250000000";
  html = html_of(c);
  REQUIRE(has(html, "class=\"ceiling\""));
  REQUIRE(has(html, "at most 4.386e-05, certified"));  // rounded outward
  c.statement.tables[0].rows[0][4] = "\"><b>";
  REQUIRE_FALSE(has(html_of(c), "class=\"erased\""));
  c.statement.tables.clear();
  REQUIRE_FALSE(has(html_of(c), "That the model has forgotten"));
}

TEST_CASE("pictures keep shapes and lose everything else") {
  std::string reason;
  const std::string drawn = clean_svg(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"x\" \"y\">\n<!-- c -->\n<svg width=\"8pt\" "
      "viewBox=\"0 0 8 8\" xmlns=\"http://www.w3.org/2000/svg\"><g id=\"n1\" "
      "class=\"node\"><title>a&lt;b"
      "</title><path fill=\"none\" d=\"M0,0L1,1\"/><text "
      "x=\"1\">&#160;&#x3c;s&amp;</text></g></svg>\n",
      reason);
  REQUIRE(
      drawn ==
      "<svg viewBox=\"0 0 8 8\"><g><title>a&lt;b</title><path fill=\"none\" d=\"M0,0L1,1\"/><text "
      "x=\"1\">\xc2\xa0&lt;s&amp;</text></g></svg>");
  for (const char* bad : {"",
                          "<svg",
                          "<svg>",
                          "<svg></g>",
                          "<svg><script>x</script></svg>",
                          "<svg onload=\"x()\"/>",
                          "<svg><path fill=\"url(#a)\"/></svg>",
                          "<svg><path style=\"x:y\"/></svg>",
                          "<svg><a href=\"x\"><text>t</text></a></svg>",
                          "<svg><image href=\"x\"/></svg>",
                          "<svg><foreignObject/></svg>",
                          "<svg/><svg/>",
                          "<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>",
                          "<svg><text>&a;</text></svg>",
                          "<svg><use href=\"#a\"/></svg>",
                          "<svg>loose</svg>",
                          "<svg><text><script></text></svg>",
                          "<svg><![CDATA[x]]></svg>",
                          "<svg x=\"1></svg>",
                          "<svg><style>*{}</style></svg>",
                          "<svg><text x='1\" onload=\"x'>t</text></svg>"}) {
    reason.clear();
    CAPTURE(bad);
    REQUIRE(clean_svg(bad, reason).empty());
    REQUIRE_FALSE(reason.empty());
  }
}
