#include "assay/certify/repair.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  certify::RepairOptions repair;
  std::string key, time, resolution = "1/100", to = "1";
  std::vector<std::string> saes;
};

Rational grid_option(const std::string& text, const std::string& option) {
  try {
    const Rational r = parse_rational(text);
    if (r.num > 0 && r.num <= r.den) {
      return r;
    }
  } catch (const InputError&) {  // said below
  }
  throw UsageError(option + ": expected a fraction above 0, at most 1, found " + text);
}

/// The old certificate did not verify: as `assay verify` says it.
void refuse(const certify::RepairResult& result, Session& session) {
  std::string text;
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const certify::Finding& finding : result.original.findings) {
    text += "FAIL  " + finding.text + "\n";
    findings.push_back(finding.text);
  }
  session.finish(result.code, text + "NOT VERIFIED: nothing was repaired",
                 {{"verified", false}, {"findings", findings}});
}

void run(Options& options, Session& session) {
  certify::RepairOptions& o = options.repair;
  const certify::PrivateKey key = certify::load_signing_key(options.key);
  o.issued_at = certify::issue_time(options.time);
  o.resolution = grid_option(options.resolution, "--resolution");
  o.to = grid_option(options.to, "--to");
  for (const auto& [name, path] : named_paths(options.saes, "--sae")) {
    o.dictionaries[name] = path;
  }
  const certify::RepairResult result = certify::repair(o, key);
  if (result.original.code != ExitCode::ok) {
    refuse(result, session);
    return;
  }
  const std::string json = certify::repair_json(result);
  if (!result.claim.empty()) {
    write_file_atomic(o.out / "repair.json", json);
    write_file_atomic(o.out / "repair.txt", certify::repair_text(result) + "\n");
  }
  session.finish(result.code, certify::repair_text(result), nlohmann::ordered_json::parse(json));
}

}  // namespace

void add_repair(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  certify::RepairOptions& o = options->repair;
  CLI::App* sub = app.add_subcommand(
      "repair",
      "Find the cheapest remedy of a violated claim, and certify the whole case again with it");
  sub->add_option("CERT", o.original.certificate, "NAME.cert.dsse.json")->required();
  sub->add_option("--case", o.case_file, "The case file that it was made from")->required();
  sub->add_option("--model", o.original.model_dir, "The model directory it is about")->required();
  sub->add_option("--trusted", o.original.key_file, "The public key that CERT is signed by, PEM")
      ->required();
  sub->add_option(
      "--key", options->key,
      "Private key of the new certificate, PEM; default: the text in ASSAY_SIGNING_KEY");
  sub->add_option("--out", o.out,
                  "New or empty directory: case.json, certificate and evidence/, repair.json, the "
                  "model where its weights are changed")
      ->required();
  sub->add_option("--sae", options->saes, "NAME=DIR of a dictionary, instead of the case's");
  sub->add_option("--text", o.text, "Text file or directory, instead of the case's");
  sub->add_option("--claim", o.claim,
                  "The violated claim (default: the first that can be repaired)");
  sub->add_option("--evidence", o.original.evidence_dir, "Default: evidence/ beside CERT");
  sub->add_option("--check", o.original.checker, "Path of assay-check; default: beside assay");
  sub->add_option("--resolution", options->resolution, "Step of the grid of min-p (default 1/100)");
  sub->add_option("--to", options->to, "Largest min-p to try (default 1)");
  sub->add_option("--tokens", o.tokens, "Tokens masked together at most (default 3)")
      ->check(CLI::Range(1, 64));
  sub->add_option("--features", o.features, "Features tried at most, one by one (default 3)")
      ->check(CLI::Range(0, 64));
  sub->add_option("--certifications", o.certifications, "Whole certifications at most (default 3)")
      ->check(CLI::Range(1, 64));
  sub->add_option("--cost-tokens", o.cost_tokens,
                  "Held-out tokens that the cost is measured on, about (default 20000)")
      ->check(CLI::Range(100, 10000000));
  sub->add_option("--serial", o.serial, "Serial of the new certificate (default: counted on)");
  sub->add_option("--at", o.original.at, "Judge the dates of CERT at this time");
  sub->add_option("--time", options->time,
                  "Time of issue, YYYY-MM-DDThh:mm:ssZ; default: SOURCE_DATE_EPOCH, else none");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
