#include <array>

#include "assay/base/errors.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/report/render.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::report::render_html;
using fixture::Case;

// Every chapter of the report, and the figures that are made of the claims.

namespace {

std::string html_of(const Case& c) {
  return render_html({statement_json(c.statement), {"SHA256:abc"}, c.paths.evidence});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The envelope of a statement as an evidence file of the case.
void add_previous(Case& c, const Statement& last) {
  add_evidence(c.statement, c.paths, "previous/last.cert.dsse.json", kPreviousRole,
               envelope_json(sign(statement_json(last), fixture::golden_key())));
}

}  // namespace

TEST_CASE("every chapter stands in its order, and the contents lead to each") {
  Case c;
  add_evidence(c.statement, c.paths, "a.spec", kSpecRole, "spec \"t\" version 1;\n");
  c.statement.figures = {{"Model", "loss", "1.2", "nats"}};
  const std::string html = html_of(c);
  std::size_t last = 0;
  for (const char* id : {"subject", "scope", "claims", "argument", "assumptions", "failures",
                         "not-claimed", "changes", "method", "verify", "mapping", "signatures",
                         "details", "dictionary", "specifications", "annex"}) {
    const std::size_t at = html.find("<section id=\"" + std::string(id) + "\"");
    INFO(id);
    REQUIRE(at != std::string::npos);
    CHECK(at > last);
    last = at;
    CHECK(has(html, "<a href=\"#" + std::string(id) + "\"><span class=\"num\">"));
  }
  CHECK(html.find("<section id=\"summary\"") < html.find("<section id=\"subject\""));
  CHECK(has(html, "spec &quot;t&quot; version 1;"));
}

TEST_CASE("the levels are said in their fixed words") {
  Case c;
  std::string html = html_of(c);
  CHECK(has(html,
            "For <b>every</b> input in the domain stated below, the property below holds for model "
            "<b>m</b> <i>as modelled "));
  CHECK(has(html, "An independent checker accepted the proof (sha256 "));
  CHECK(has(html, "a mathematical result about the files listed in"));
  Claim& claim = c.statement.claims[0];
  claim.level = Level::observed;
  claim.chain = {{"counted", Level::observed}};
  CHECK(has(html_of(c), "<b>No claim is made about other inputs.</b>"));
  claim.level = Level::statistical;
  claim.chain = {{"drawn", Level::statistical}};
  claim.statistics = Statistics{};
  claim.statistics->n = 20000;
  claim.statistics->alpha = "1/100";
  claim.statistics->method = kClopperPearson;
  claim.statistics->lo = "0.000000";
  claim.statistics->hi = "0.000231";
  html = html_of(c);
  CHECK(has(html, "With confidence 1 − 1/100, between 0.000000 and 0.000231 of the runs"));
  CHECK(has(html, "0 violations in 20000 independent draws"));
  CHECK(has(html, "It says nothing about inputs not drawn from that distribution."));
}

TEST_CASE("the argument is drawn and listed: goals, evidence, doubts, what is not developed") {
  Case c;
  Claim open = c.statement.claims[0];
  open.id = "open";
  open.kind = "refined";
  open.status = Status::unknown;
  open.level = Level::assumed;
  open.chain.clear();
  open.recheck.reset();
  open.reason = "Budget used up.";
  open.defeaters = {{"The author expected holds.", "open"}, {"Known.", "accepted"}};
  c.statement.claims.push_back(open);
  const std::string html = html_of(c);
  CHECK(has(html, "class=\"gsn\""));
  CHECK(has(html, "<desc id=\"gsn-d\">"));
  CHECK(has(html, "class=\"goal unknown\""));
  CHECK(has(html, "Runs of the model: 1 is not decided"));
  CHECK(has(html, "not developed: Budget used up."));
  CHECK(has(html, "doubt, <b>open</b>: The author expected holds."));
  CHECK(has(html, "Doubts on record: 1 open, 1 accepted, 0 resolved."));
  c.statement.claims.clear();
  CHECK(has(html_of(c), "Nothing is argued"));
}

TEST_CASE("a chain of several links is drawn with its weakest outlined") {
  Case c;
  CHECK_FALSE(has(html_of(c), "class=\"links\""));
  c.statement.claims[0].chain = {{"proved on the automaton", Level::proved},
                                 {"fitted to samples", Level::observed}};
  c.statement.claims[0].level = Level::observed;
  const std::string html = html_of(c);
  CHECK(has(html, "class=\"links\""));
  CHECK(has(html, "class=\"link weakest\""));
  CHECK(has(html, "the weakest link, OBSERVED, is outlined"));
}

TEST_CASE(
    "changes since the last certificate: removed, added, weaker, another statement; a table of "
    "releases") {
  Case c;
  CHECK(has(html_of(c), "No earlier certificate is named"));
  CHECK(has(html_of(c), "no earlier certificate is named"));
  Statement last = c.statement;
  last.certificate.issued_at = "2025-12-31T00:00:00Z";
  Claim gone = last.claims[0];
  gone.id = "gone";
  gone.text = "This one is gone.";
  last.claims.push_back(gone);
  add_previous(c, last);
  Claim fresh = c.statement.claims[0];
  fresh.id = "fresh";
  c.statement.claims.push_back(fresh);
  c.statement.claims[0].status = Status::unknown;
  c.statement.claims[0].reason = "Budget.";
  c.statement.claims[0].formal += " more";
  const std::string html = html_of(c);
  CHECK(has(html, "weakened: HOLDS → UNKNOWN; another statement or domain (counts as weakened"));
  CHECK(has(html, "<b>removed</b>"));
  CHECK(has(html, "<td>added</td>"));
  CHECK(has(html, "1 claims changed, 1 added, 1 removed since 2025-12-31"));
  CHECK(has(html, "class=\"releases\""));
  CHECK(has(html, "the same model files"));
  fixture::put(c.paths.evidence / "previous/last.cert.dsse.json", "{}");
  CHECK(has(html_of(c), "the earlier certificate could not be read"));
}

TEST_CASE("the mapping says supports and never fulfils") {
  const std::string html = html_of(Case{});
  CHECK(has(html, "supports Annex IV 2(g)"));
  CHECK(has(html, "supports MANAGE 1.1"));
  CHECK(has(html, "Not covered: Annex IV 5, 8 and 9"));
  for (const char* word : {"complies", "compliant", "conforms to"}) {
    CHECK_FALSE(has(html, word));
  }
}

TEST_CASE("for people who do not see it: skip link, captions, scopes, text for each figure") {
  Case c;
  c.statement.claims[0].chain = {{"a", Level::proved}, {"b", Level::observed}};
  c.statement.claims[0].level = Level::observed;
  const std::string html = html_of(c);
  CHECK(has(html, "<a class=\"skip\" href=\"#claims\">"));
  CHECK_FALSE(has(html, "<th>"));
  std::size_t tables = 0, captions = 0;
  for (std::size_t at = html.find("<table"); at != std::string::npos;
       at = html.find("<table", at + 1)) {
    ++tables;
    captions += html.find("<caption>", at) < html.find("</table>", at) ? 1 : 0;
  }
  CHECK(tables > 0);
  CHECK(captions == tables);
  for (std::size_t at = html.find("<svg"); at != std::string::npos;
       at = html.find("<svg", at + 1)) {
    const std::string tag = html.substr(at, html.find('>', at) - at);
    CHECK((has(tag, "aria-hidden=\"true\"") || has(tag, "aria-label") || has(tag, "role=\"img\"")));
  }
}
