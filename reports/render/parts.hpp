#pragma once

#include <string>

#include "assay/certify/statement.hpp"
#include "assay/report/render.hpp"
#include "evidence_reader.hpp"

namespace assay::report {

/// What every chapter reads from.
struct Page {
  const certify::Statement& statement;
  const ReportInput& input;
  const EvidenceReader& evidence;
  Digest id;  ///< sha256 of the payload
};

// Each returns HTML. Chapters in the order in which they stand.
[[nodiscard]] std::string style_sheet(const std::string& id8);
[[nodiscard]] std::string summary_html(const Page& page);
[[nodiscard]] std::string subject_html(const Page& page);
[[nodiscard]] std::string scope_html(const Page& page);
[[nodiscard]] std::string claims_html(const Page& page);
[[nodiscard]] std::string details_html(const Page& page);
[[nodiscard]] std::string forest_plot(const std::vector<certify::Claim>& claims);
[[nodiscard]] std::string verdicts_html(const Page& page);
[[nodiscard]] std::string automaton_html(const Page& page);
[[nodiscard]] std::string failures_html(const Page& page);
[[nodiscard]] std::string erasure_html(const Page& page);
[[nodiscard]] std::string dictionary_html(const Page& page);
[[nodiscard]] std::string argument_html(const Page& page);
[[nodiscard]] std::string assumptions_html(const Page& page);
[[nodiscard]] std::string not_claimed_html(const Page& page);
[[nodiscard]] std::string changes_html(const Page& page);
[[nodiscard]] std::string method_html(const Page& page);
[[nodiscard]] std::string verify_html(const Page& page);
[[nodiscard]] std::string mapping_html(const Page& page);
[[nodiscard]] std::string signatures_html(const Page& page);
[[nodiscard]] std::string annex_html(const Page& page);
[[nodiscard]] std::string specifications_html(const Page& page);

/// What the claim's level or status means, in the words that are fixed for it. HTML.
[[nodiscard]] std::string level_sentence(const Page& page, const certify::Claim& claim);
/// The links of a chain as shapes, the weakest outlined; "" for a chain of one link.
[[nodiscard]] std::string chain_figure(const certify::Claim& claim);
/// One line about the last certificate, for page one. HTML.
[[nodiscard]] std::string change_line(const Page& page);

[[nodiscard]] std::string table_html(const certify::Table& table);
[[nodiscard]] bool is_erasure_table(const certify::Table& table);

/// Whether `verdicts_html` has an article "verdict-N" for the claim.
[[nodiscard]] bool has_verdict(const Page& page, const certify::Claim& claim);

/// "bound 0.12 · limit 0.2", short, rounded outward; "" when the claim has neither.
[[nodiscard]] std::string bound_text(const certify::Claim& claim);
[[nodiscard]] std::string verify_command(const certify::Statement& statement);

}  // namespace assay::report
