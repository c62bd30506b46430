#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/certify/statement.hpp"
#include "assay/report/export.hpp"
#include "html.hpp"
#include "parts.hpp"

// SPDX 3.0.1 with the AI profile: https://spdx.github.io/spdx-spec/v3.0.1/. The certificate is a file that describes the package; claims
// stand among the model's metrics and limitations.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Statement;
using certify::Status;
using Json = nlohmann::ordered_json;

constexpr const char* kCreation = "_:creation";

Json hash_of(const Digest& digest) {
  return Json::array({{{"type", "Hash"}, {"algorithm", "sha256"}, {"hashValue", digest.hex()}}});
}

/// Every element of one certificate lies under an address that is a function of its payload.
class Document {
 public:
  explicit Document(const Digest& id) : base_("urn:sha256:" + id.hex() + "#") {}

  [[nodiscard]] std::string id(const std::string& name) const { return base_ + name; }
  std::string add(const std::string& type, const std::string& name, Json fields) {
    Json element = {{"type", type}, {"spdxId", id(name)}, {"creationInfo", kCreation}};
    element.update(fields);
    elements_.push_back(element);
    ids_.push_back(id(name));
    return id(name);
  }
  void relate(const std::string& name, const std::string& from, const std::string& type,
              const Json& to) {
    add("Relationship", name, {{"from", from}, {"relationshipType", type}, {"to", to}});
  }
  [[nodiscard]] const Json& elements() const { return elements_; }
  [[nodiscard]] const Json& ids() const { return ids_; }

 private:
  std::string base_;
  Json elements_ = Json::array(), ids_ = Json::array();
};

std::string limitation_of(const Statement& s) {
  std::string out;
  for (const std::string& text : s.not_claimed) {
    out += (out.empty() ? "" : " ") + ("Not claimed: " + harmless(text));
  }
  for (const Claim& c : s.claims) {
    if (c.status != Status::holds) {
      out += (out.empty() ? "" : " ") + certify::status_name(c.status) + ": " + harmless(c.text);
    }
  }
  return out;
}

Json entries(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json out = Json::array();
  for (const auto& [key, value] : pairs) {
    out.push_back(
        {{"type", "DictionaryEntry"}, {"key", harmless(key)}, {"value", harmless(value)}});
  }
  return out;
}

std::string add_model(Document& doc, const Statement& s, const std::string& supplier) {
  std::vector<std::pair<std::string, std::string>> metrics, thresholds;
  for (const Claim& c : s.claims) {
    metrics.emplace_back(
        c.id, certify::status_name(c.status) +
                  (c.status == Status::unknown ? "" : " " + certify::level_name(c.level)) +
                  (c.bound.empty() ? "" : ", bound " + c.bound));
    if (!c.threshold.empty()) {
      thresholds.emplace_back(c.id, c.threshold);
    }
  }
  Json fields = {{"name", harmless(s.certificate.name)},
                 {"verifiedUsing", hash_of(s.subject_sha256)},
                 {"suppliedBy", supplier},
                 {"software_primaryPurpose", "model"},
                 {"software_packageVersion", harmless(s.certificate.serial)},
                 {"software_downloadLocation", "urn:sha256:" + s.subject_sha256.hex()},
                 {"releaseTime", s.certificate.issued_at},
                 {"ai_metric", entries(metrics)},
                 {"ai_limitation", limitation_of(s)}};
  if (!thresholds.empty()) {
    fields["ai_metricDecisionThreshold"] = entries(thresholds);
  }
  if (!s.certificate.scope.empty()) {
    fields["description"] = harmless(s.certificate.scope);
    fields["ai_informationAboutApplication"] = harmless(s.certificate.scope);
  }
  return doc.add("ai_AIPackage", "model", std::move(fields));
}

void add_files(Document& doc, const Statement& s, const std::string& model) {
  Json files = Json::array();
  for (std::size_t i = 0; i < s.subject_files.size(); ++i) {
    files.push_back(doc.add("software_File", "file-" + std::to_string(i + 1),
                            {{"name", harmless(s.subject_files[i].name)},
                             {"verifiedUsing", hash_of(s.subject_files[i].sha256)}}));
  }
  if (!files.empty()) {
    doc.relate("contains", model, "contains", files);
  }
}

void add_materials(Document& doc, const Statement& s, const std::string& model) {
  Json others = Json::array();
  for (std::size_t i = 0; i < s.materials.size(); ++i) {
    const certify::Material& m = s.materials[i];
    others.push_back(doc.add("software_File", "material-" + std::to_string(i + 1),
                             {{"name", harmless(m.name)},
                              {"comment", "role: " + harmless(m.role)},
                              {"verifiedUsing", hash_of(m.sha256)}}));
  }
  if (!others.empty()) {
    doc.relate("materials", model, "hasInput", others);
  }
}

}  // namespace

std::string spdx_json(const ReportInput& input) {
  const Statement s = certify::parse_statement(input.payload, "payload");
  if (s.certificate.issued_at.empty()) {
    throw UsageError(
        "export: SPDX needs the time of issue, and the certificate states none (`assay certify "
        "--time`)");
  }
  const Digest id = sha256(input.payload);
  Document doc(id);
  const std::string holder =
      input.key_ids.empty() ? "no signer is named" : "holder of the key " + input.key_ids.front();
  const std::string agent = doc.add("Agent", "signer", {{"name", harmless(holder)}});
  const std::string tool = doc.add("Tool", "assay", {{"name", "assay"}});
  const std::string model = add_model(doc, s, agent);
  add_files(doc, s, model);
  add_materials(doc, s, model);
  const std::string certificate =
      doc.add("software_File", "certificate",
              {{"name", harmless(s.certificate.name) + " certificate payload"},
               {"contentType", "application/vnd.in-toto+json"},
               {"verifiedUsing", hash_of(id)}});
  doc.relate("evidence", model, "hasEvidence", Json::array({certificate}));
  Json graph = Json::array({{{"type", "CreationInfo"},
                             {"@id", kCreation},
                             {"specVersion", "3.0.1"},
                             {"created", s.certificate.issued_at},
                             {"createdBy", Json::array({agent})},
                             {"createdUsing", Json::array({tool})}}});
  graph.push_back({{"type", "SpdxDocument"},
                   {"spdxId", doc.id("document")},
                   {"creationInfo", kCreation},
                   {"profileConformance", Json::array({"core", "software", "ai"})},
                   {"rootElement", Json::array({model})},
                   {"element", doc.ids()}});
  for (const Json& element : doc.elements()) {
    graph.push_back(element);
  }
  const Json out = {{"@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"},
                    {"@graph", graph}};
  return out.dump(2, ' ', true, nlohmann::json::error_handler_t::strict) + "\n";
}

}  // namespace assay::report
