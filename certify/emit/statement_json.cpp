#include <algorithm>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"
#include "json_profile.hpp"
#include "statement_rules.hpp"
#include "statistics_json.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;

/// Absent rather than empty: the payload has no null and no "".
void put(json& object, const char* key, const std::string& text) {
  if (!text.empty()) {
    object[key] = text;
  }
}

json digest_json(const Digest& digest) {
  return {{"sha256", digest.hex()}};
}

json recheck_json(const Recheck& recheck) {
  json inputs = json::array();
  for (const CheckInput& input : recheck.inputs) {
    inputs.push_back({{"name", input.name}, {"option", input.option}});
  }
  return {{"accepts", recheck.accepts},
          {"certificate", recheck.certificate},
          {"checker", "assay-check"},
          {"inputs", inputs},
          {"statement", recheck.statement}};
}

json claim_json(const Claim& claim) {
  json out = {{"id", claim.id},
              {"kind", claim.kind},
              {"text", claim.text},
              {"status", status_name(claim.status)},
              {"level", level_name(claim.level)},
              {"assumptions", claim.assumptions},
              {"evidence", claim.evidence}};
  put(out, "specRef", claim.spec_ref);
  put(out, "formal", claim.formal);
  put(out, "domain", claim.domain);
  put(out, "bound", claim.bound);
  put(out, "threshold", claim.threshold);
  put(out, "attack", claim.attack);
  put(out, "unit", claim.unit);
  put(out, "reason", claim.reason);
  put(out, "counterexample", claim.counterexample);
  json chain = json::array();
  for (const Link& link : claim.chain) {
    chain.push_back({{"level", level_name(link.level)}, {"link", link.text}});
  }
  out["levelChain"] = chain;
  json defeaters = json::array();
  for (const Defeater& defeater : claim.defeaters) {
    defeaters.push_back({{"state", defeater.state}, {"text", defeater.text}});
  }
  out["defeaters"] = defeaters;
  if (claim.recheck) {
    out["recheck"] = recheck_json(*claim.recheck);
  }
  if (claim.statistics) {
    out["statistics"] = statistics_json(*claim.statistics);
  }
  return out;
}

json certificate_json(const CertificateInfo& info) {
  json out = {{"name", info.name}, {"serial", info.serial}, {"resourceUri", info.resource_uri}};
  put(out, "scope", info.scope);
  put(out, "issuedAt", info.issued_at);
  put(out, "notBefore", info.not_before);
  put(out, "notAfter", info.not_after);
  if (info.sequence > 0) {
    out["sequence"] = info.sequence;
  }
  if (!info.previous_sha256.empty()) {
    out["previous"] = {{"digest", {{"sha256", info.previous_sha256}}}};
  }
  return out;
}

json verdict_json(const Verdict& v) {
  return {{"result", status_name(v.result)},
          {"counts",
           {{"HOLDS", v.holds},
            {"VIOLATED", v.violated},
            {"UNKNOWN", v.unknown},
            {"PROVED", v.proved},
            {"STATISTICAL", v.statistical},
            {"OBSERVED", v.observed},
            {"ASSUMED", v.assumed}}}};
}

json files_json(const Statement& s) {
  json files = json::array();
  for (const ManifestEntry& entry : s.subject_files) {
    files.push_back({{"name", entry.name}, {"sha256", entry.sha256.hex()}, {"size", entry.size}});
  }
  return files;
}

json materials_json(const Statement& s) {
  json materials = json::array();
  for (const Material& m : s.materials) {
    materials.push_back(
        {{"name", m.name}, {"digest", digest_json(m.sha256)}, {"annotations", {{"role", m.role}}}});
  }
  return materials;
}

json evidence_json(const Statement& s) {
  json evidence = json::array();
  for (const Evidence& e : s.evidence) {
    evidence.push_back(
        {{"name", e.name}, {"role", e.role}, {"sha256", e.sha256.hex()}, {"size", e.size}});
  }
  return evidence;
}

json exhibits_json(const Statement& s, json predicate) {
  json figures = json::array();
  for (const Figure& f : s.figures) {
    json figure = {{"group", f.group}, {"label", f.label}, {"value", f.value}};
    put(figure, "note", f.note);
    figures.push_back(figure);
  }
  json tables = json::array();
  for (const Table& t : s.tables) {
    json table = {{"id", t.id}, {"caption", t.caption}, {"columns", t.columns}, {"rows", t.rows}};
    put(table, "note", t.note);
    tables.push_back(table);
  }
  predicate["figures"] = figures;
  predicate["tables"] = tables;
  return predicate;
}

json predicate_json(const Statement& s) {
  json assumptions = json::array();
  for (const Assumption& a : s.assumptions) {
    json assumption = {{"id", a.id}, {"text", a.text}};
    put(assumption, "kind", a.kind);
    put(assumption, "breaksIf", a.breaks_if);
    assumptions.push_back(assumption);
  }
  json claims = json::array();
  for (const Claim& claim : s.claims) {
    claims.push_back(claim_json(claim));
  }
  return exhibits_json(s, {{"schemaVersion", kSchemaVersion},
                           {"certificate", certificate_json(s.certificate)},
                           {"subjectFiles", files_json(s)},
                           {"exclusions", s.exclusions},
                           {"omsRootSha256", Manifest{s.subject_files}.oms_root().hex()},
                           {"materials", materials_json(s)},
                           {"environment", s.environment},
                           {"evidence", evidence_json(s)},
                           {"claims", claims},
                           {"assumptions", assumptions},
                           {"notClaimed", s.not_claimed},
                           {"verdict", verdict_json(verdict_of(s.claims))},
                           {"reproduction", {{"commands", s.commands}}}});
}

}  // namespace

std::string statement_json(const Statement& statement) {
  check_rules(statement, "statement");
  const json value = {
      {"_type", kStatementType},
      {"predicateType", kPredicateType},
      {"predicate", predicate_json(statement)},
      {"subject", json::array({{{"name", statement.subject_name},
                                {"digest", digest_json(statement.subject_sha256)}}})}};
  std::string bytes = canonical_json(value);
  if (bytes.size() > kMaxPayloadBytes) {
    throw InputError("statement", "size", "at most " + std::to_string(kMaxPayloadBytes) + " bytes",
                     std::to_string(bytes.size()));
  }
  return bytes;
}

}  // namespace assay::certify
