#include "assay/report/render.hpp"

#include <array>
#include <utility>

#include "html.hpp"
#include "parts.hpp"

namespace assay::report {
namespace {

std::string contents(const std::string& body) {
  static constexpr std::array<std::pair<const char*, const char*>, 19> kChapters = {
      {{"subject", "What was examined"},
       {"scope", "Scope"},
       {"claims", "Claims"},
       {"erasure", "Erasure"},
       {"argument", "Argument"},
       {"assumptions", "Assumptions"},
       {"failures", "Failures and unknowns"},
       {"not-claimed", "Not claimed"},
       {"changes", "Changes"},
       {"method", "Method"},
       {"verify", "Verify"},
       {"mapping", "Law and standards"},
       {"signatures", "Signatures"},
       {"details", "Every claim"},
       {"verdicts", "Verdicts drawn"},
       {"automaton", "Automaton"},
       {"dictionary", "Model and dictionary"},
       {"specifications", "Specifications"},
       {"annex", "Words and digests"}}};
  std::string out;
  for (const auto& [id, title] : kChapters) {
    if (body.find("<section id=\"" + std::string(id) + "\"") != std::string::npos) {
      out += "<a href=\"#" + std::string(id) + "\"><span class=\"num\">" + chapter_number(id) +
             "</span> " + title + "</a>\n";
    }
  }
  return "<nav class=\"toc\" aria-label=\"Contents\">\n" + out + "</nav>\n";
}

}  // namespace

std::string render_html(const ReportInput& input) {
  const certify::Statement statement = certify::parse_statement(input.payload, "payload");
  const EvidenceReader evidence(statement, input.evidence_dir);
  const Page page{statement, input, evidence, sha256(input.payload)};
  const std::string body =
      subject_html(page) + scope_html(page) + claims_html(page) + erasure_html(page) +
      argument_html(page) + assumptions_html(page) + failures_html(page) + not_claimed_html(page) +
      changes_html(page) + method_html(page) + verify_html(page) + mapping_html(page) +
      signatures_html(page) + details_html(page) + verdicts_html(page) + automaton_html(page) +
      dictionary_html(page) + specifications_html(page) + annex_html(page);
  const std::string id8 = page.id.hex().substr(0, 8);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; img-src data:\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
         "content=\"light dark\">\n<title>Certification report: " +
         esc(statement.certificate.name) + " (" + id8 + ")</title>\n<style>\n" + style_sheet(id8) +
         "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#claims\">Skip to the "
         "claims</a>\n<main>\n" +
         summary_html(page) + contents(body) + body + "</main>\n<footer><p>Assay certificate " +
         digest_html(page.id, true) +
         " · a pure function of the signed payload and the evidence it names</p></footer>\n"
         "</body>\n</html>\n";
}

}  // namespace assay::report
