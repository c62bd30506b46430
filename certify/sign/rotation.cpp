#include "assay/certify/rotation.hpp"

#include <filesystem>

#include "../emit/json_profile.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;

/// The digest of the policy that a statement is about.
Digest subject_of(const Envelope& envelope) {
  const std::string file = "signatures of a trust policy";
  if (envelope.payload_type != kPayloadType) {
    throw InputError(file, "payloadType", kPayloadType, visible(envelope.payload_type));
  }
  const json value = parse_profile_json(envelope.payload, file);
  const ObjectReader top(value, file);
  top.only({"_type", "predicate", "predicateType", "subject"});
  const std::vector<ObjectReader> subjects = top.objects("subject");
  if (top.text("_type") != kStatementType || top.text("predicateType") != kTrustPolicyType ||
      subjects.size() != 1) {
    throw InputError(file, "statement", std::string("one subject of ") + kTrustPolicyType,
                     visible(top.text("predicateType")));
  }
  return parse_digest(subjects[0].object("digest").text("sha256"));
}

}  // namespace

std::string trust_statement(const TrustPolicy& policy) {
  return canonical_json(
      {{"_type", kStatementType},
       {"predicateType", kTrustPolicyType},
       {"predicate", {{"version", policy.version}}},
       {"subject", json::array({{{"name", std::filesystem::path(policy.source).filename().string()},
                                 {"digest", {{"sha256", policy.digest.hex()}}}}})}});
}

std::vector<Finding> rotation_faults(const TrustPolicy& old, const TrustPolicy& now,
                                     const Envelope& signatures, const std::string& at) {
  std::vector<Finding> faults;
  for (const TrustPolicy* policy : {&old, &now}) {
    const std::size_t threshold = policy->threshold(kRootRole);
    if (threshold == 0) {
      faults.push_back({ExitCode::usage, policy->source + ": requires no root signatures"});
      continue;
    }
    const std::vector<Signer> signers = signers_of(signatures, *policy, kRootRole, at);
    if (std::optional<Finding> fault = threshold_fault(signers, kRootRole, threshold)) {
      fault->text =
          "by the keys of version " + std::to_string(policy->version) + ": " + fault->text;
      faults.push_back(std::move(*fault));
    }
  }
  if (!faults.empty()) {
    return faults;  // nobody who counts wrote the statement: it is not read
  }
  if (subject_of(signatures) != now.digest) {
    faults.push_back({ExitCode::signature, "the signatures are over another file"});
  }
  if (now.version != old.version + 1) {
    faults.push_back({ExitCode::expired, "version " + std::to_string(now.version) +
                                             " does not follow " + std::to_string(old.version)});
  }
  if (!now.expires.empty() && at > now.expires) {
    faults.push_back({ExitCode::expired, "the new policy expired at " + now.expires});
  }
  return faults;
}

}  // namespace assay::certify
