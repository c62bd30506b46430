#include "assay/certify/case.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string file, model, text, key, passphrase, out, time, previous;
  std::vector<std::string> saes;
};

certify::CaseFile load_case(const Options& options) {
  certify::CaseFile file =
      certify::parse_case(read_file(options.file, std::size_t{1} << 20U), options.file);
  if (!options.model.empty()) {
    file.model = options.model;
  }
  if (!options.text.empty()) {
    file.text = options.text;
  }
  for (const auto& [name, path] : named_paths(options.saes, "--sae")) {
    if (file.dictionaries.count(name) == 0) {
      throw UsageError("--sae: expected a name of the case's dictionaries, found " + name);
    }
    file.dictionaries[name] = path;
  }
  return file;
}

std::string text_of(const certify::CertifyResult& result) {
  std::string out;
  for (const certify::Claim& claim : result.statement.claims) {
    const bool decided = claim.status != certify::Status::unknown;
    out += certify::status_name(claim.status) +
           (decided ? " " + certify::level_name(claim.level) : "") + "  " + visible(claim.id) +
           ": " + visible(claim.text) + "\n";
  }
  const certify::Verdict v = certify::verdict_of(result.statement.claims);
  return out + "\n" + certify::status_name(v.result) + ": " + std::to_string(v.holds) + " hold (" +
         std::to_string(v.proved) + " PROVED, " + std::to_string(v.statistical) + " STATISTICAL, " +
         std::to_string(v.observed) + " OBSERVED), " + std::to_string(v.violated) + " violated, " +
         std::to_string(v.unknown) + " unknown" +
         (v.proved > 0
              ? "\nsemantics of what is PROVED: REAL (exact arithmetic on the stored weights)"
              : "") +
         "\nsigned by " + result.key_id + "\ncertificate: " + result.envelope.string();
}

ExitCode code_of(const certify::Verdict& verdict) {
  return verdict.result == certify::Status::holds      ? ExitCode::ok
         : verdict.result == certify::Status::violated ? ExitCode::violated
                                                       : ExitCode::unknown;
}

void run(const Options& options, Session& session) {
  const certify::CaseFile file = load_case(options);
  const certify::PrivateKey key = certify::load_signing_key(options.key, options.passphrase);
  certify::CertifyOptions settings;
  settings.out = options.out;
  if (!options.previous.empty()) {
    settings.previous_sha256 =
        sha256(certify::parse_envelope(read_file(options.previous, certify::kMaxEnvelopeBytes),
                                       options.previous)
                   .payload)
            .hex();
  }
  settings.issued_at = certify::issue_time(options.time);
  settings.reproduction = {
      "assay certify case.json --model MODEL_DIR --sae NAME=DIR --text TEXT "
      "--key PRIVATE.pem --out DIR"};
  const certify::CertifyResult result = certify::certify_case(file, settings, key);
  const certify::Verdict verdict = certify::verdict_of(result.statement.claims);
  nlohmann::ordered_json claims = nlohmann::ordered_json::array();
  for (const certify::Claim& claim : result.statement.claims) {
    claims.push_back({{"id", claim.id},
                      {"status", certify::status_name(claim.status)},
                      {"level", certify::level_name(claim.level)},
                      {"text", claim.text}});
  }
  session.finish(code_of(verdict), text_of(result),
                 {{"certificate", result.envelope.string()},
                  {"payloadSha256", result.payload_sha256},
                  {"signer", result.key_id},
                  {"verdict", certify::status_name(verdict.result)},
                  {"claims", claims}});
}

}  // namespace

void add_certify(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "certify", "Run a case: prove, check, erase, re-check every proof, sign the certificate");
  sub->add_option("case", options->file, "The case file, docs/case-file.md")->required();
  sub->add_option("--model", options->model, "Model directory, instead of the case's");
  sub->add_option("--sae", options->saes, "NAME=DIR of a dictionary, instead of the case's");
  sub->add_option("--text", options->text, "Text file or directory, instead of the case's");
  sub->add_option(
      "--key", options->key,
      "Private key: a PEM file, env:NAME or fd:N; default: the text in ASSAY_SIGNING_KEY");
  sub->add_option("--passphrase", options->passphrase,
                  "Of an encrypted key: a file, env:NAME or fd:N; default: ASSAY_KEY_PASSPHRASE");
  sub->add_option("--out", options->out, "Directory for certificate, manifest and evidence/")
      ->required();
  sub->add_option("--previous", options->previous,
                  "The certificate that this one follows; its payload's digest is signed");
  sub->add_option("--time", options->time,
                  "Time of issue, YYYY-MM-DDThh:mm:ssZ; default: SOURCE_DATE_EPOCH, else none");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
