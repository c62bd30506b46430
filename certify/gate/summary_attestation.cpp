#include "assay/certify/summary_attestation.hpp"

#include <filesystem>

#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"

namespace assay::certify {

using nlohmann::json;

std::string summary_statement(const GateResult& result, const GatePolicy& policy,
                              const std::string& verifier) {
  require(result.verified.statement.has_value(), "summary_statement: no certificate was read");
  const Statement& s = *result.verified.statement;
  const bool passed = result.code == ExitCode::ok;
  json inputs = json::array({{{"digest", {{"sha256", result.verified.payload_sha256}}}}});
  if (!result.baseline_sha256.empty()) {
    inputs.push_back({{"digest", {{"sha256", result.baseline_sha256}}}});
  }
  const json predicate = {
      {"verifier", {{"id", verifier}, {"version", {{"assay", ASSAY_VERSION}}}}},
      {"timeVerified", result.verified.at},
      {"resourceUri", s.certificate.resource_uri},
      {"policy",
       {{"uri", std::filesystem::path(policy.source).filename().string()},
        {"digest", {{"sha256", policy.digest.hex()}}}}},
      {"inputAttestations", inputs},
      {"verificationResult", passed ? "PASSED" : "FAILED"},
      {"verifiedLevels", passed ? json::array({"ASSAY_REQUIRED_CLAIMS_HOLD"}) : json::array()}};
  return canonical_json(
      {{"_type", kStatementType},
       {"predicateType", kSummaryType},
       {"predicate", predicate},
       {"subject", json::array({{{"name", s.subject_name},
                                 {"digest", {{"sha256", s.subject_sha256.hex()}}}}})}});
}

}  // namespace assay::certify
