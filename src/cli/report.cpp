#include "assay/report/render.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/certify/envelope.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::string certificate;
  std::string evidence;
  std::string out;
};

void make_report(const ReportOptions& options, Session& session) {
  const fs::path file = options.certificate;
  certify::Envelope envelope =
      certify::parse_envelope(read_file(file, certify::kMaxEnvelopeBytes), file.string());
  report::ReportInput input;
  input.evidence_dir =
      options.evidence.empty() ? file.parent_path() / "evidence" : fs::path(options.evidence);
  for (const certify::Signature& signature : envelope.signatures) {
    input.key_ids.push_back(signature.key_id);
  }
  input.payload = std::move(envelope.payload);
  const std::string html = report::render_html(input);
  write_file_atomic(options.out, html);
  session.finish(ExitCode::ok,
                 options.out + ": " + std::to_string(html.size()) +
                     " bytes (the signature was not checked; that is `assay verify`)",
                 {{"report", options.out}, {"bytes", html.size()}, {"signatureChecked", false}});
}

}  // namespace

void add_report(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* sub = app.add_subcommand(
      "report", "Render a certificate and its evidence as one HTML page for people");
  sub->add_option("CERT", options->certificate, "NAME.cert.dsse.json")->required();
  sub->add_option("--evidence", options->evidence, "Default: evidence/ beside CERT");
  sub->add_option("--out", options->out, "The HTML file to write")->required();
  sub->callback([options, &session] { make_report(*options, session); });
}

}  // namespace assay::cli
