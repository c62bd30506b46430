#include <nlohmann/json.hpp>

#include "words.hpp"

namespace assay::report {
namespace {

using nlohmann::json;

json finding_json(const certify::GateFinding& f) {
  static constexpr const char* kSeverities[] = {"error", "warning", "note"};
  json out = {{"severity", kSeverities[static_cast<int>(f.severity)]},
              {"exitCode", static_cast<int>(f.finding.code)},
              {"text", f.finding.text}};
  if (!f.finding.claim.empty()) {
    out["claim"] = f.finding.claim;
  }
  if (!f.waived_by.empty()) {
    out["waivedBy"] = f.waived_by;
  }
  return out;
}

json claim_json(const ClaimRow& row, const certify::GateResult& result) {
  json out = {{"id", row.id},
              {"outcome", outcome_word(row.outcome)},
              {"required", row.gate == nullptr || row.gate->required},
              {"meets", row.gate != nullptr && row.gate->meets}};
  if (row.gate == nullptr) {
    out["missing"] = true;
    return out;
  }
  const certify::Claim& c = *row.gate->claim;
  out["status"] = certify::status_name(c.status);
  out["level"] = certify::level_name(c.level);
  out["formal"] = c.formal;
  out["text"] = c.text;
  out["assumptions"] = c.assumptions;
  if (!row.gate->shown_bound.empty()) {
    out["shownBound"] = row.gate->shown_bound;
  }
  if (!row.gate->max_bound.empty()) {
    out["maxBound"] = row.gate->max_bound;
  }
  if (result.compared) {
    out["change"] = delta_text(result, *row.gate);
  }
  return out;
}

json verification_json(const certify::VerifyResult& v) {
  json signers = json::array();
  for (const certify::Signer& s : v.signers) {
    json signer = {{"keyid", s.key_id}, {"scheme", s.scheme}};
    if (!s.role.empty()) {
      signer["role"] = s.role;
    }
    if (!s.unusable.empty()) {
      signer["unusable"] = s.unusable;
    }
    signers.push_back(signer);
  }
  json out = {{"exitCode", static_cast<int>(v.code)},
              {"at", v.at},
              {"signers", signers},
              {"steps", v.steps},
              {"proofsAcceptedAgain", v.rechecked},
              {"ratesCountedAgain", v.recounted}};
  if (!v.trust_sha256.empty()) {
    out["trustPolicySha256"] = v.trust_sha256;
  }
  return out;
}

}  // namespace

std::string gate_json(const GateReport& report) {
  const certify::GateResult& r = report.result;
  json findings = json::array();
  for (const certify::GateFinding& f : r.findings) {
    findings.push_back(finding_json(f));
  }
  json claims = json::array();
  for (const ClaimRow& row : claim_rows(r)) {
    claims.push_back(claim_json(row, r));
  }
  json out = {{"version", 1},
              {"result", r.code == ExitCode::ok ? "PASSED" : "FAILED"},
              {"exitCode", static_cast<int>(r.code)},
              {"enforced", !report.soft},
              {"headline", gate_headline(report)},
              {"policy", {{"file", report.policy.source}, {"sha256", report.policy.digest.hex()}}},
              {"certificate", {{"file", report.certificate}}},
              {"required", r.required()},
              {"met", r.meeting()},
              {"verification", verification_json(r.verified)},
              {"findings", findings},
              {"claims", claims}};
  if (!r.verified.payload_sha256.empty()) {
    out["certificate"]["payloadSha256"] = r.verified.payload_sha256;
  }
  if (r.verified.statement) {
    const certify::Statement& s = *r.verified.statement;
    out["certificate"]["name"] = s.certificate.name;
    out["certificate"]["serial"] = s.certificate.serial;
    out["certificate"]["resourceUri"] = s.certificate.resource_uri;
    out["certificate"]["notAfter"] = s.certificate.not_after;
    out["certificate"]["subjectSha256"] = s.subject_sha256.hex();
  }
  if (r.compared) {
    json changes = json::array();
    for (const certify::Change& c : r.changes) {
      changes.push_back({{"change", certify::change_name(c.kind)},
                         {"claim", c.claim},
                         {"aspect", c.aspect},
                         {"text", c.text}});
    }
    out["baseline"] = {{"payloadSha256", r.baseline_sha256}, {"changes", changes}};
  }
  return out.dump(1, ' ', true, json::error_handler_t::replace) + "\n";
}

}  // namespace assay::report
