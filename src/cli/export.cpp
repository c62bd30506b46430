#include "export.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/report/export.hpp"
#include "report_file.hpp"

namespace assay::cli {
namespace {

struct ExportOptions {
  std::string certificate;
  std::string format;
  std::string out;
};

void make_export(const ExportOptions& options, Session& session) {
  const report::ReportInput input = report_input(options.certificate, "");
  const std::string text = options.format == "cyclonedx" ? report::cyclonedx_json(input)
                           : options.format == "spdx"    ? report::spdx_json(input)
                                                         : report::model_card_section(input);
  write_file_atomic(options.out, text);
  session.finish(ExitCode::ok,
                 options.out + ": " + std::to_string(text.size()) + " bytes, " + options.format +
                     " (the signature was not checked; that is `assay verify`)",
                 {{"file", options.out},
                  {"format", options.format},
                  {"bytes", text.size()},
                  {"signatureChecked", false}});
}

}  // namespace

void add_export(CLI::App& app, Session& session) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* sub = app.add_subcommand(
      "export",
      "Write a certificate in other formats: CycloneDX 1.6, SPDX 3.0.1, a model card section");
  sub->add_option("CERT", options->certificate, "NAME.cert.dsse.json")->required();
  sub->add_option("--format", options->format, "cyclonedx, spdx or model-card")
      ->required()
      ->check(CLI::IsMember({"cyclonedx", "spdx", "model-card"}));
  sub->add_option("--out", options->out, "The file to write")->required();
  sub->callback([options, &session] { make_export(*options, session); });
}

}  // namespace assay::cli
