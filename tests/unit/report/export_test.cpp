#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/report/export.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using namespace assay::report;
using fixture::Case;

namespace {

ReportInput input_of(const Case& c) {
  return {statement_json(c.statement), {"SHA256:abc"}, c.paths.evidence};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("JSON is the signed payload itself, and only of a certificate") {
  const Case c;
  CHECK(payload_json(input_of(c)) == statement_json(c.statement));
  CHECK_THROWS_AS(payload_json({"{}", {}, ""}), assay::InputError);
}

TEST_CASE("Markdown: hostile text opens no markup, link, command or mention") {
  Case c;
  const std::string evil =
      "</td><script>x</script> ](javascript:alert(1)) `|` ::error::no\n# h @all www.evil.example "
      "https://evil.example \xe2\x80\xae";
  c.statement.certificate.name = evil;
  c.statement.claims[0].text = evil;
  c.statement.claims[0].unit = evil;
  c.statement.assumptions[0].text = evil;
  c.statement.not_claimed = {evil};
  for (const std::string& text : {render_markdown(input_of(c)), model_card_section(input_of(c))}) {
    CHECK_FALSE(has(text, "<script"));
    CHECK_FALSE(has(text, "](javascript"));
    CHECK_FALSE(has(text, "::error::"));
    CHECK_FALSE(has(text, "@all"));
    CHECK_FALSE(has(text, "www."));
    CHECK_FALSE(has(text, "://"));
    CHECK_FALSE(has(text, "\xe2\x80\xae"));
    CHECK_FALSE(has(text, "\n# h"));
    CHECK(has(text, "&lt;script&gt;"));
  }
}

TEST_CASE("Markdown says the claims, what falls with an assumption, and what is not claimed") {
  const Case c;
  const std::string text = render_markdown(input_of(c));
  for (const char* part : {"# Certification report: m", "## 3 Claims", "| C1 |", "## 4 Argument",
                           "## 5 Assumptions", "## 6 Failures and unknowns",
                           "## 7 What is not claimed", "## 10 Verify", "If false, these fall: "}) {
    INFO(part);
    CHECK(has(text, part));
  }
}

TEST_CASE(
    "CycloneDX: one model component, its files, each claim a declaration with evidence for or "
    "against") {
  Case c;
  Claim bad = c.statement.claims[0];
  bad.id = "bad";
  bad.status = Status::violated;
  c.statement.claims.push_back(bad);
  const auto j = nlohmann::json::parse(cyclonedx_json(input_of(c)));
  CHECK(j.at("bomFormat") == "CycloneDX");
  CHECK(j.at("specVersion") == "1.6");
  const auto& model = j.at("metadata").at("component");
  CHECK(model.at("type") == "machine-learning-model");
  CHECK(model.at("hashes")[0].at("content") == c.statement.subject_sha256.hex());
  CHECK(model.at("components").size() == c.statement.subject_files.size());
  const auto& d = j.at("declarations");
  REQUIRE(d.at("claims").size() == 2);
  CHECK(d.at("claims")[0].contains("evidence"));
  CHECK(d.at("claims")[1].contains("counterEvidence"));
  CHECK(d.at("attestations")[0].at("map")[0].at("counterClaims") ==
        nlohmann::json::array({"claim-2"}));
  CHECK(cyclonedx_json(input_of(c)) == cyclonedx_json(input_of(c)));
}

TEST_CASE(
    "SPDX: an AI package with its files and relationships, and a time that is the certificate's") {
  Case c;
  const auto j = nlohmann::json::parse(spdx_json(input_of(c)));
  CHECK(j.at("@context") == "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
  std::size_t packages = 0, files = 0;
  for (const auto& e : j.at("@graph")) {
    packages += e.at("type") == "ai_AIPackage" ? 1 : 0;
    files += e.at("type") == "software_File" ? 1 : 0;
  }
  CHECK(packages == 1);
  CHECK(files == c.statement.subject_files.size() + c.statement.materials.size() + 1);
  CHECK(j.at("@graph")[0].at("created") == c.statement.certificate.issued_at);
  c.statement.certificate.issued_at = "";
  CHECK_THROWS_AS(spdx_json(input_of(c)), assay::UsageError);
}
