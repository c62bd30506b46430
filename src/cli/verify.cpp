#include "assay/certify/verify.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "report_file.hpp"
#include "session.hpp"
#include "verify_options.hpp"

namespace assay::cli {
namespace {

using certify::VerifyOptions;
using certify::VerifyResult;

std::string claim_line(const certify::Claim& claim) {
  const bool decided = claim.status != certify::Status::unknown;
  return "  " + certify::status_name(claim.status) +
         (decided ? " " + certify::level_name(claim.level) : "") + "  " + visible(claim.id) + ": " +
         visible(claim.text);
}

std::string verdict_line(const certify::Verdict& v) {
  return certify::status_name(v.result) + ": " + std::to_string(v.holds) + " hold (" +
         std::to_string(v.proved) + " PROVED, " + std::to_string(v.statistical) + " STATISTICAL, " +
         std::to_string(v.observed) + " OBSERVED, " + std::to_string(v.assumed) + " ASSUMED), " +
         std::to_string(v.violated) + " violated, " + std::to_string(v.unknown) + " unknown";
}

/// What was checked, what is wrong, and only for an authentic payload what it claims.
std::string text_of(const VerifyResult& result) {
  std::string out;
  for (const std::string& step : result.steps) {
    out += "ok    " + step + "\n";
  }
  for (const certify::Finding& finding : result.findings) {
    out += "FAIL  " + finding.text + "  [" + std::to_string(static_cast<int>(finding.code)) + "]\n";
  }
  if (result.statement) {
    const certify::Statement& s = *result.statement;
    out += "\ncertificate  " + visible(s.certificate.name) + ", serial " +
           visible(s.certificate.serial) + "\nsubject      " + visible(s.subject_name) +
           " sha256 " + s.subject_sha256.hex() + "\ntype         " + certify::kPredicateType +
           "\nsigner       " + (result.signer().empty() ? "not established" : result.signer()) +
           "\nclaims       " + verdict_line(certify::verdict_of(s.claims)) + "\n";
    for (const certify::Claim& claim : s.claims) {
      out += claim_line(claim) + "\n";
    }
  }
  out += result.code == ExitCode::ok
             ? "\nVERIFIED: authentic, and every item of evidence re-checked (the claims above say "
               "what that means)"
             : "\nNOT VERIFIED (exit " + std::to_string(static_cast<int>(result.code)) + ")";
  return out;
}

nlohmann::ordered_json json_of(const VerifyResult& result) {
  nlohmann::ordered_json out;
  out["verified"] = result.code == ExitCode::ok;
  out["signer"] = result.signer();
  out["payloadSha256"] = result.payload_sha256;
  out["steps"] = result.steps;
  out["findings"] = nlohmann::ordered_json::array();
  for (const certify::Finding& finding : result.findings) {
    out["findings"].push_back(
        {{"exitCode", static_cast<int>(finding.code)}, {"text", finding.text}});
  }
  out["rechecked"] = result.rechecked;
  if (result.statement) {
    const certify::Verdict v = certify::verdict_of(result.statement->claims);
    out["subject"] = {{"name", result.statement->subject_name},
                      {"sha256", result.statement->subject_sha256.hex()}};
    out["predicateType"] = certify::kPredicateType;
    out["verdict"] = {{"result", certify::status_name(v.result)},
                      {"holds", v.holds},
                      {"violated", v.violated},
                      {"unknown", v.unknown},
                      {"proved", v.proved},
                      {"statistical", v.statistical},
                      {"observed", v.observed},
                      {"assumed", v.assumed}};
    out["claims"] = nlohmann::ordered_json::array();
    for (const certify::Claim& claim : result.statement->claims) {
      out["claims"].push_back({{"id", claim.id},
                               {"status", certify::status_name(claim.status)},
                               {"level", certify::level_name(claim.level)},
                               {"text", claim.text}});
    }
  }
  return out;
}

/// Makes the report anew from the signed bytes and compares. A file that says anything else is exit 8.
void compare_report(const VerifyOptions& options, const std::string& file, VerifyResult& result) {
  if (file.empty() || !result.statement) {
    return;
  }
  const std::string made =
      report_bytes(report_input(options.certificate, options.evidence_dir), file);
  if (read_file(file, std::size_t{256} << 20) == made) {
    result.steps.push_back("the report says what the signed payload says, byte by byte");
    return;
  }
  result.findings.push_back(
      {ExitCode::evidence,
       file + ": not the report of this certificate (made anew, its bytes differ)"});
  result.code = result.code == ExitCode::ok ? ExitCode::evidence : result.code;
}

}  // namespace

void add_verify_options(CLI::App& sub, VerifyOptions& options) {
  sub.add_option("CERT", options.certificate, "NAME.cert.dsse.json")->required();
  sub.add_option("--model", options.model_dir, "The model directory it is about")->required();
  sub.add_option(
      "--key", options.key_file,
      "The signer's public key, PEM, from a source you trust; without key or trust: exit 4");
  sub.add_option("--trust", options.trust_file,
                 "Trust policy instead of one key: roles, thresholds, dates (docs/gate.md)");
  sub.add_option("--revocation", options.revocation_file,
                 "Revocation list, signed by the trust policy's revokers");
  sub.add_option("--state", options.state_file,
                 "File that keeps the highest versions and sequences seen; older ones: exit 6");
  sub.add_option("--evidence", options.evidence_dir, "Default: evidence/ beside CERT");
  sub.add_option("--manifest", options.manifest_file, "Default: the subject's name beside CERT");
  sub.add_option("--check", options.checker, "Path of assay-check; default: beside assay");
  sub.add_option("--at", options.at, "Judge dates at this time, YYYY-MM-DDThh:mm:ssZ");
  sub.add_option("--timeout", options.timeout_seconds, "Seconds for each run of assay-check")
      ->check(CLI::Range(1, 86400));
  sub.add_flag("--allow-extra", options.allow_extra,
               "Accept files in the model directory that the certificate does not list");
}

void add_verify(CLI::App& app, Session& session) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* sub = app.add_subcommand(
      "verify", "Check a certificate: signature, files, evidence, and every proof again");
  add_verify_options(*sub, *options);
  const auto report = std::make_shared<std::string>();
  sub->add_option("--report", *report,
                  "A report of CERT (.html, .md, .json): made anew and compared byte by byte");
  sub->callback([options, report, &session] {
    VerifyResult result = certify::verify(*options);
    compare_report(*options, *report, result);
    session.finish(result.code, text_of(result), json_of(result));
  });
}

}  // namespace assay::cli
