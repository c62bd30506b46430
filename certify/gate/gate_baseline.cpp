#include "gate_baseline.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// The signatures that the certificate under test must bear, on the baseline. Expired keys count: it is old.
bool is_signed(const Envelope& envelope, const fs::path& trust, const fs::path& key) {
  if (trust.empty()) {
    return signed_by(envelope, load_public_key(key));
  }
  const TrustPolicy policy = load_trust_policy(trust);
  std::vector<Signer> signers = signers_of(envelope, policy, "", "9999-12-31T23:59:59Z");
  for (Signer& signer : signers) {
    signer.unusable = signer.unusable.starts_with("revoked") ? signer.unusable : "";
  }
  return std::all_of(policy.require.begin(), policy.require.end(), [&](const RoleThreshold& r) {
    return r.role == kRootRole || r.role == kRevokerRole ||
           !threshold_fault(signers, r.role, r.threshold);
  });
}

const AllowedChange* allowance(const Baseline& baseline, const Change& change) {
  const auto fits = [](const std::string& asked, const std::string& found) {
    return asked.empty() || asked == found;
  };
  const auto it =
      std::find_if(baseline.allow.begin(), baseline.allow.end(), [&](const AllowedChange& a) {
        return a.change == change_name(change.kind) && fits(a.claim, change.claim) &&
               fits(a.aspect, change.aspect);
      });
  return it == baseline.allow.end() ? nullptr : &*it;
}

}  // namespace

fs::path evidence_beside(const fs::path& certificate, const fs::path& given) {
  return given.empty() ? certificate.parent_path() / "evidence" : given;
}

BaselineResult compare_baseline(const GatePolicy& policy, const VerifyOptions& verify,
                                const DiffSide& now) {
  BaselineResult result;
  const Baseline& baseline = *policy.baseline;
  const auto fail = [&](ExitCode code, const std::string& text) {
    result.findings.push_back({Severity::error, {code, "baseline: " + text, ""}, ""});
  };
  try {
    const Envelope envelope = parse_envelope(read_file(baseline.certificate, kMaxEnvelopeBytes),
                                             baseline.certificate.string());
    const fs::path trust = policy.trust_policy.empty() ? verify.trust_file : policy.trust_policy;
    if (envelope.payload_type != kPayloadType || !is_signed(envelope, trust, verify.key_file)) {
      fail(ExitCode::signature, "it is not signed as a certificate must be");
      return result;
    }
    const Statement old =
        parse_statement(envelope.payload, baseline.certificate.string() + " payload");
    result.payload_sha256 = sha256(envelope.payload).hex();
    if (old.certificate.resource_uri != now.statement.certificate.resource_uri) {
      fail(ExitCode::regression,
           "it is about another resource, '" + visible(old.certificate.resource_uri) + "'");
    }
    if (now.statement.certificate.sequence < old.certificate.sequence) {
      fail(ExitCode::expired, "it has a higher sequence than the certificate under test");
    }
    const DiffSide before{old, evidence_beside(baseline.certificate, baseline.evidence)};
    result.changes = diff(before, now);
    result.compared = true;
  } catch (const Error& e) {
    fail(e.code(), e.what());
    return result;
  }
  for (const Change& change : result.changes) {
    if (!blocks(change.kind)) {
      continue;
    }
    const AllowedChange* allowed = allowance(baseline, change);
    const std::string text =
        change_name(change.kind) + " (" + change.aspect + "): " + change.text +
        (allowed == nullptr
             ? ""
             : "; allowed" +
                   (allowed->reason.empty() ? std::string() : ": " + visible(allowed->reason)));
    result.findings.push_back({allowed == nullptr ? Severity::error : Severity::note,
                               {ExitCode::regression, text, change.claim},
                               ""});
  }
  return result;
}

}  // namespace assay::certify
