#include "assay/certify/gate.hpp"

#include <filesystem>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/certify/summary_attestation.hpp"
#include "assay/report/gate_outputs.hpp"
#include "release.hpp"
#include "verify_options.hpp"

namespace assay::cli {
namespace {

struct GateCommand {
  std::string policy, policy_sha256, json_out, summary, sarif, sarif_profile = "full", junit, badge,
                                                               vsa, vsa_key, vsa_passphrase;
  std::string verifier = "https://assay.invalid/gate/v1";
  std::vector<std::string> fail_on;
  bool soft = false, annotations = false;
  certify::GateOptions options;
};

certify::GatePolicy load_policy(const GateCommand& command) {
  certify::GatePolicy policy = certify::load_gate_policy(command.policy);
  if (!command.policy_sha256.empty() && policy.digest.hex() != command.policy_sha256) {
    throw UsageError(command.policy + ": sha256 " + policy.digest.hex() + ", not the pinned " +
                     command.policy_sha256);
  }
  return policy;
}

void write_outputs(const GateCommand& command, const report::GateReport& report) {
  const auto write = [](const std::string& file, const std::string& text) {
    if (!file.empty()) {
      write_file_atomic(file, text);
    }
  };
  write(command.json_out, report::gate_json(report));
  write(command.summary, report::gate_summary(report));
  write(command.sarif, report::gate_sarif(report, command.sarif_profile == "full"));
  write(command.junit, report::gate_junit(report));
  if (!command.badge.empty()) {
    write(command.badge + ".svg", report::gate_badge_svg(report));
    write(command.badge + ".json", report::gate_badge_json(report));
  }
}

/// The result as a second attestation, when the certificate could be read at all. A result of an earlier run goes.
void write_attestation(const GateCommand& command, const certify::GateResult& result,
                       const certify::GatePolicy& policy) {
  if (command.vsa.empty()) {
    return;
  }
  std::error_code ignored;
  std::filesystem::remove(command.vsa, ignored);
  if (result.verified.statement) {
    const certify::PrivateKey key =
        certify::load_signing_key(command.vsa_key, command.vsa_passphrase);
    write_file_atomic(command.vsa,
                      certify::envelope_json(certify::sign(
                          certify::summary_statement(result, policy, command.verifier), key)));
  }
}

void run(GateCommand command, Session& session) {
  for (const std::string& word : command.fail_on) {
    command.options.unknown_fails = command.options.unknown_fails || word == "unknown";
    command.options.forbids_warnings = command.options.forbids_warnings || word == "warning";
  }
  const certify::GatePolicy policy = load_policy(command);
  const certify::GateResult result = certify::run_gate(policy, command.options);
  const report::GateReport report{result, policy, command.options.verify.certificate.string(),
                                  command.soft};
  write_outputs(command, report);
  write_attestation(command, result, policy);
  session.finish(command.soft ? ExitCode::ok : result.code,
                 command.annotations ? report::gate_log(report) : report::gate_text(report),
                 nlohmann::ordered_json::parse(report::gate_json(report)));
}

}  // namespace

void add_gate(CLI::App& app, Session& session) {
  const auto command = std::make_shared<GateCommand>();
  CLI::App* sub = app.add_subcommand(
      "gate", "Hold a certificate against a policy: pass or block a release (docs/gate.md)");
  sub->add_option("POLICY", command->policy,
                  "The policy, from a place that the release cannot change")
      ->required();
  add_verify_options(*sub, command->options.verify);
  sub->add_option("--policy-sha256", command->policy_sha256,
                  "The digest that POLICY must have; another one: exit 2");
  sub->add_option("--out", command->json_out, "gate.json: all findings");
  sub->add_option("--summary", command->summary, "Markdown for a step summary, below 1 MiB");
  sub->add_option("--sarif", command->sarif, "SARIF 2.1.0");
  sub->add_option("--sarif-profile", command->sarif_profile,
                  "full (every claim), or github (what blocks or is unknown)")
      ->check(CLI::IsMember({"full", "github"}));
  sub->add_option("--junit", command->junit, "JUnit XML, one test case a claim");
  sub->add_option("--badge", command->badge,
                  "NAME of NAME.svg and NAME.json (shields.io endpoint)");
  sub->add_option("--vsa", command->vsa,
                  "The result as a signed SLSA verification summary (VSA v1)");
  sub->add_option("--vsa-key", command->vsa_key,
                  "Its private key: a PEM file, env:NAME or fd:N; default: ASSAY_SIGNING_KEY");
  sub->add_option("--vsa-passphrase", command->vsa_passphrase,
                  "Of an encrypted key: a file, env:NAME or fd:N");
  sub->add_option("--verifier", command->verifier, "The verifier's id in it, a URI");
  sub->add_flag("--annotations", command->annotations, "Print GitHub annotations, worst first");
  sub->add_option("--fail-on", command->fail_on,
                  "Tighten: unknown (any claim UNKNOWN), warning (whatever else is not HOLDS)")
      ->check(CLI::IsMember({"unknown", "warning"}));
  sub->add_flag("--soft", command->soft, "Say the result, NOT ENFORCED, and exit 0");
  sub->callback([command, &session] { run(*command, session); });
}

}  // namespace assay::cli
