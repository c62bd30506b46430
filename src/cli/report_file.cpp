#include "report_file.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/report/export.hpp"

namespace assay::cli {

namespace fs = std::filesystem;

report::ReportInput report_input(const fs::path& certificate, const fs::path& evidence) {
  certify::Envelope envelope = certify::parse_envelope(
      read_file(certificate, certify::kMaxEnvelopeBytes), certificate.string());
  report::ReportInput input;
  input.evidence_dir = evidence.empty() ? certificate.parent_path() / "evidence" : evidence;
  for (const certify::Signature& signature : envelope.signatures) {
    input.key_ids.push_back(signature.key_id);
  }
  input.payload = std::move(envelope.payload);
  return input;
}

std::string report_bytes(const report::ReportInput& input, const fs::path& file) {
  const std::string suffix = file.extension().string();
  if (suffix == ".html" || suffix == ".htm") {
    return report::render_html(input);
  }
  if (suffix == ".md") {
    return report::render_markdown(input);
  }
  if (suffix == ".json") {
    return report::payload_json(input);
  }
  throw UsageError("report: " + file.string() +
                   ": expected a name that ends in .html, .md, .json or .pdf");
}

}  // namespace assay::cli
