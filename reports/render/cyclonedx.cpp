#include <nlohmann/json.hpp>

#include "assay/certify/statement.hpp"
#include "assay/report/export.hpp"
#include "html.hpp"
#include "parts.hpp"

// CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/. The claims are declarations; what is not claimed is a mitigation's opposite and
// stands among the model card's limitations.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Statement;
using certify::Status;
using Json = nlohmann::ordered_json;

constexpr const char* kModelRef = "model";
constexpr const char* kTargetRef = "target";  ///< the model again, as what the claims are about

Json hash_of(const Digest& digest) {
  return Json::array({{{"alg", "SHA-256"}, {"content", digest.hex()}}});
}

Json property(const std::string& name, const std::string& value) {
  return {{"name", "assay:" + name}, {"value", harmless(value)}};
}

Json model_component(const Statement& s) {
  Json limitations = Json::array();
  for (const std::string& text : s.not_claimed) {
    limitations.push_back("Not claimed: " + harmless(text));
  }
  for (const certify::Assumption& a : s.assumptions) {
    limitations.push_back("Assumed (" + harmless(a.id) + "): " + harmless(a.text));
  }
  Json metrics = Json::array();
  for (const Claim& c : s.claims) {
    if (c.status == Status::holds && !c.bound.empty()) {
      metrics.push_back({{"type", harmless(c.id)}, {"value", harmless(c.bound)}});
    }
  }
  Json files = Json::array();
  for (const certify::ManifestEntry& f : s.subject_files) {
    files.push_back({{"type", "file"}, {"name", harmless(f.name)}, {"hashes", hash_of(f.sha256)}});
  }
  Json card = {{"considerations", {{"technicalLimitations", limitations}}}};
  if (!metrics.empty()) {
    card["quantitativeAnalysis"] = {{"performanceMetrics", metrics}};
  }
  Json out = {{"type", "machine-learning-model"},
              {"bom-ref", kModelRef},
              {"name", harmless(s.certificate.name)}};
  if (!s.certificate.scope.empty()) {
    out["description"] = harmless(s.certificate.scope);
  }
  out["hashes"] = hash_of(s.subject_sha256);
  out["modelCard"] = card;
  out["components"] = files;
  out["properties"] = Json::array(
      {property("subject", s.subject_name), property("resourceUri", s.certificate.resource_uri)});
  return out;
}

Json materials(const Statement& s) {
  Json out = Json::array();
  for (std::size_t i = 0; i < s.materials.size(); ++i) {
    const certify::Material& m = s.materials[i];
    const std::string type = m.role == "dataset" ? "data"
                             : m.role == "tool" || m.role == "checker" || m.role == "solver"
                                 ? "application"
                                 : "file";
    out.push_back({{"type", type},
                   {"bom-ref", "material-" + std::to_string(i + 1)},
                   {"name", harmless(m.name)},
                   {"hashes", hash_of(m.sha256)},
                   {"properties", Json::array({property("role", m.role)})}});
  }
  return out;
}

Json evidence_of(const Claim& c, const std::string& number) {
  Json out = {
      {"bom-ref", "evidence-" + number},
      {"propertyName", "assay:" + harmless(c.id)},
      {"description", certify::status_name(c.status) +
                          (c.status == Status::unknown ? "" : ", " + certify::level_name(c.level)) +
                          (c.recheck ? "; assay-check " + harmless(c.recheck->certificate) +
                                           " prints ACCEPT " + harmless(c.recheck->accepts)
                                     : "")}};
  Json files = Json::array();
  for (const std::string& name : c.evidence) {
    files.push_back({{"name", harmless(name)}});
  }
  if (!files.empty()) {
    out["data"] = files;
  }
  return out;
}

Json declarations(const Statement& s, const ReportInput& input) {
  Json claims = Json::array(), evidence = Json::array(), refs = Json::array(),
       counter = Json::array();
  for (std::size_t i = 0; i < s.claims.size(); ++i) {
    const Claim& c = s.claims[i];
    const std::string number = std::to_string(i + 1), ref = "claim-" + number;
    evidence.push_back(evidence_of(c, number));
    Json claim = {{"bom-ref", ref},
                  {"target", kTargetRef},
                  {"predicate", harmless(c.text)},
                  {"reasoning",
                   certify::status_name(c.status) +
                       (c.status == Status::unknown ? ": " + harmless(c.reason)
                                                    : " at level " + certify::level_name(c.level)) +
                       ". Domain: " + harmless(c.domain) + ". Formally: " + harmless(c.formal)}};
    claim[c.status == Status::holds ? "evidence" : "counterEvidence"] =
        Json::array({"evidence-" + number});
    claims.push_back(claim);
    (c.status == Status::holds ? refs : counter).push_back(ref);
  }
  Json map = Json::object();
  if (!refs.empty()) {
    map["claims"] = refs;
  }
  if (!counter.empty()) {
    map["counterClaims"] = counter;
  }
  Json assessor = {{"bom-ref", "signer"}, {"thirdParty", false}};
  if (!input.key_ids.empty()) {
    assessor["organization"] = {{"name", "holder of the key " + harmless(input.key_ids.front())}};
  }
  Json out = {{"assessors", Json::array({assessor})},
              {"attestations",
               Json::array({{{"summary",
                              "Counterclaims are violated or not decided. The signature over the "
                              "payload with sha256 " +
                                  sha256(input.payload).hex() + " is what counts, not this file."},
                             {"assessor", "signer"}}})},
              {"claims", claims},
              {"evidence", evidence},
              {"targets",
               {{"components", Json::array({{{"type", "machine-learning-model"},
                                             {"bom-ref", kTargetRef},
                                             {"name", harmless(s.certificate.name)},
                                             {"hashes", hash_of(s.subject_sha256)}}})}}}};
  if (!map.empty()) {
    out["attestations"][0]["map"] = Json::array({map});
  }
  return out;
}

/// A serial number that is a function of the payload: a UUID of version 8 made of its digest.
std::string serial_number(const Digest& id) {
  std::string hex = id.hex().substr(0, 32);
  hex[12] = '8';
  hex[16] = 'a';
  return "urn:uuid:" + hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

}  // namespace

std::string cyclonedx_json(const ReportInput& input) {
  const Statement s = certify::parse_statement(input.payload, "payload");
  Json metadata = Json::object();
  if (!s.certificate.issued_at.empty()) {
    metadata["timestamp"] = s.certificate.issued_at;
  }
  const auto version = s.environment.find("toolVersion");
  metadata["tools"] = {
      {"components",
       Json::array({{{"type", "application"},
                     {"name", "assay"},
                     {"version",
                      version == s.environment.end() ? "unknown" : harmless(version->second)}}})}};
  metadata["component"] = model_component(s);
  const Json out = {{"bomFormat", "CycloneDX"},
                    {"specVersion", "1.6"},
                    {"serialNumber", serial_number(sha256(input.payload))},
                    {"version", 1},
                    {"metadata", metadata},
                    {"components", materials(s)},
                    {"declarations", declarations(s, input)}};
  return out.dump(2, ' ', true, nlohmann::json::error_handler_t::strict) + "\n";
}

}  // namespace assay::report
