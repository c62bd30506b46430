#include <ctime>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/rotation.hpp"
#include "assay/certify/statement.hpp"
#include "release.hpp"

namespace assay::cli {
namespace {

struct TrustOptions {
  std::string policy, old_policy, signatures, key, passphrase, out, at;
};

void show(const TrustOptions& options, Session& session) {
  const certify::TrustPolicy policy = certify::load_trust_policy(options.policy);
  std::string text = options.policy + ": version " + std::to_string(policy.version) + ", " +
                     (policy.expires.empty() ? "no expiry" : "expires " + policy.expires) +
                     "\nsha256 " + policy.digest.hex() + "\n";
  nlohmann::ordered_json keys = nlohmann::ordered_json::array();
  for (const certify::TrustedKey& key : policy.keys) {
    const std::string id = key.key.key_id();
    text += visible(key.role) + "  " + id + "  " + certify::scheme_name(key.key.scheme()) +
            (key.revoked_at.empty() ? "" : "  revoked at " + key.revoked_at) + "\n";
    keys.push_back({{"keyid", id}, {"role", key.role}});
  }
  for (const certify::RoleThreshold& wanted : policy.require) {
    text +=
        "requires " + std::to_string(wanted.threshold) + " of role " + visible(wanted.role) + "\n";
  }
  text.pop_back();
  session.finish(ExitCode::ok, text,
                 {{"version", policy.version}, {"sha256", policy.digest.hex()}, {"keys", keys}});
}

void sign(const TrustOptions& options, Session& session) {
  const certify::TrustPolicy policy = certify::load_trust_policy(options.policy);
  const certify::PrivateKey key = certify::load_signing_key(options.key, options.passphrase);
  write_file_atomic(options.out,
                    certify::envelope_json(certify::sign(certify::trust_statement(policy), key)));
  const std::string id = key.public_key().key_id();
  session.finish(ExitCode::ok, options.out + ": signed by " + id + "; add others with `assay sign`",
                 {{"signatures", options.out}, {"keyid", id}});
}

void check(const TrustOptions& options, Session& session) {
  const std::string at = options.at.empty()
                             ? certify::utc_time(static_cast<std::int64_t>(std::time(nullptr)))
                             : options.at;
  (void)certify::parse_utc_time(at);
  const certify::TrustPolicy old = certify::load_trust_policy(options.old_policy);
  const certify::TrustPolicy now = certify::load_trust_policy(options.policy);
  const certify::Envelope signatures = certify::parse_envelope(
      read_file(options.signatures, certify::kMaxEnvelopeBytes), options.signatures);
  const std::vector<certify::Finding> faults = certify::rotation_faults(old, now, signatures, at);
  std::string text;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const certify::Finding& fault : faults) {
    text += "FAIL  " + fault.text + "  [" + std::to_string(static_cast<int>(fault.code)) + "]\n";
    list.push_back({{"exitCode", static_cast<int>(fault.code)}, {"text", fault.text}});
  }
  text += faults.empty() ? "version " + std::to_string(now.version) + " may replace version " +
                               std::to_string(old.version)
                         : "the old policy stays in force";
  session.finish(certify::worst(faults), text, {{"findings", list}});
}

}  // namespace

void add_trust(CLI::App& app, Session& session) {
  const auto options = std::make_shared<TrustOptions>();
  CLI::App* trust =
      app.add_subcommand("trust", "Trust policies: show one, sign one, check that one may follow");
  trust->require_subcommand(1);
  CLI::App* shown = trust->add_subcommand("show", "Keys, roles and thresholds of a trust policy");
  shown->add_option("POLICY", options->policy, "trust.json")->required();
  shown->callback([options, &session] { show(*options, session); });
  CLI::App* signing = trust->add_subcommand("sign", "Sign a trust policy with a root key");
  signing->add_option("POLICY", options->policy, "trust.json")->required();
  signing->add_option("--key", options->key,
                      "Private key: a PEM file, env:NAME or fd:N; default: ASSAY_SIGNING_KEY");
  signing->add_option("--passphrase", options->passphrase,
                      "Of an encrypted key: a file, env:NAME or fd:N");
  signing->add_option("--out", options->out, "The signatures' file to write")->required();
  signing->callback([options, &session] { sign(*options, session); });
  CLI::App* checking = trust->add_subcommand(
      "check", "Whether NEW may replace OLD: next version, signed by the root keys of both");
  checking->add_option("OLD", options->old_policy, "The policy in force")->required();
  checking->add_option("NEW", options->policy, "The policy to follow it")->required();
  checking->add_option("--signatures", options->signatures, "What `assay trust sign` wrote of NEW")
      ->required();
  checking->add_option("--at", options->at, "Judge dates at this time, YYYY-MM-DDThh:mm:ssZ");
  checking->callback([options, &session] { check(*options, session); });
}

}  // namespace assay::cli
