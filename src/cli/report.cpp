#include "assay/report/render.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "print_pdf.hpp"
#include "report_file.hpp"
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
  const report::ReportInput input = report_input(options.certificate, options.evidence);
  const fs::path out = options.out;
  const std::string bytes = out.extension() == ".pdf" ? print_pdf(report::render_html(input), input)
                                                      : report_bytes(input, out);
  write_file_atomic(out, bytes);
  session.finish(ExitCode::ok,
                 options.out + ": " + std::to_string(bytes.size()) +
                     " bytes (the signature was not checked; that is `assay verify`)",
                 {{"report", options.out}, {"bytes", bytes.size()}, {"signatureChecked", false}});
}

}  // namespace

void add_report(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* sub = app.add_subcommand(
      "report", "Render a certificate and its evidence for people: HTML, PDF, Markdown or JSON");
  sub->add_option("CERT", options->certificate, "NAME.cert.dsse.json")->required();
  sub->add_option("--evidence", options->evidence, "Default: evidence/ beside CERT");
  sub->add_option("--out", options->out,
                  "The file to write: .html, .md, .json (the signed payload), or .pdf (printed by "
                  "a Chromium on PATH, or ASSAY_CHROMIUM)")
      ->required();
  sub->callback([options, &session] { make_report(*options, session); });
}

}  // namespace assay::cli
