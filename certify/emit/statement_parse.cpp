#include <algorithm>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "assay/certify/statement.hpp"
#include "json_profile.hpp"
#include "statement_rules.hpp"
#include "statistics_json.hpp"

namespace assay::certify {
namespace {

Digest digest_of(const ObjectReader& object, const char* key) {
  try {
    return parse_digest(object.text(key));
  } catch (const InputError& e) {
    throw InputError(object.where() + "." + key + ": " + e.what());
  }
}

Recheck read_recheck(const ObjectReader& o) {
  if (o.text("checker") != "assay-check") {
    throw InputError(o.where(), "checker", "assay-check", visible(o.text("checker")));
  }
  Recheck recheck{o.text("certificate"), {}, o.text("accepts"), o.text("statement")};
  for (const ObjectReader& input : o.objects("inputs")) {
    recheck.inputs.push_back({input.text("option"), input.text("name")});
  }
  return recheck;
}

Claim read_claim(const ObjectReader& o) {
  Claim c;
  c.id = o.text("id");
  c.kind = o.text("kind");
  c.text = o.text("text");
  c.status = parse_status(o.text("status"));
  c.level = parse_level(o.text("level"));
  c.spec_ref = o.optional_text("specRef");
  c.formal = o.optional_text("formal");
  c.domain = o.optional_text("domain");
  c.bound = o.optional_text("bound");
  c.threshold = o.optional_text("threshold");
  c.attack = o.optional_text("attack");
  c.unit = o.optional_text("unit");
  c.reason = o.optional_text("reason");
  c.counterexample = o.optional_text("counterexample");
  c.assumptions = o.texts("assumptions");
  c.evidence = o.texts("evidence");
  for (const ObjectReader& link : o.objects("levelChain")) {
    c.chain.push_back({link.text("link"), parse_level(link.text("level"))});
  }
  for (const ObjectReader& defeater : o.objects("defeaters")) {
    c.defeaters.push_back({defeater.text("text"), defeater.text("state")});
  }
  if (o.has("recheck")) {
    c.recheck = read_recheck(o.object("recheck"));
  }
  if (o.has("statistics")) {
    c.statistics = read_statistics(o.object("statistics"));
  }
  return c;
}

CertificateInfo read_certificate(const ObjectReader& o) {
  CertificateInfo info{o.text("name"),
                       o.text("serial"),
                       o.text("resourceUri"),
                       o.optional_text("scope"),
                       o.optional_text("issuedAt"),
                       o.optional_text("notBefore"),
                       o.optional_text("notAfter"),
                       o.has("sequence") ? o.count("sequence") : 0,
                       ""};
  if (o.has("previous")) {
    info.previous_sha256 = digest_of(o.object("previous").object("digest"), "sha256").hex();
  }
  for (const std::string& time : {info.issued_at, info.not_before, info.not_after}) {
    if (!time.empty()) {
      (void)parse_utc_time(time);
    }
  }
  return info;
}

void read_inputs(const ObjectReader& predicate, Statement& s) {
  for (const ObjectReader& o : predicate.objects("subjectFiles")) {
    s.subject_files.push_back({o.text("name"), o.count("size"), digest_of(o, "sha256")});
  }
  s.exclusions = predicate.texts("exclusions");
  for (const ObjectReader& o : predicate.objects("materials")) {
    s.materials.push_back({o.text("name"), o.object("annotations").text("role"),
                           digest_of(o.object("digest"), "sha256")});
  }
  const ObjectReader environment = predicate.object("environment");
  for (const auto& [key, unused] : environment.value().items()) {
    s.environment[key] = environment.text(key.c_str());
  }
  for (const ObjectReader& o : predicate.objects("evidence")) {
    s.evidence.push_back({o.text("name"), o.text("role"), o.count("size"), digest_of(o, "sha256")});
  }
}

void read_exhibits(const ObjectReader& predicate, Statement& s) {
  for (const ObjectReader& o : predicate.objects("figures")) {
    s.figures.push_back(
        {o.text("group"), o.text("label"), o.text("value"), o.optional_text("note")});
  }
  for (const ObjectReader& o : predicate.objects("tables")) {
    Table table{o.text("id"), o.text("caption"), o.optional_text("note"), o.texts("columns"), {}};
    const nlohmann::json rows = o.value().value("rows", nlohmann::json::array());
    for (const nlohmann::json& row : rows) {
      const nlohmann::json wrapped = {{"row", row}};
      table.rows.push_back(ObjectReader(wrapped, o.where() + ".rows").texts("row"));
    }
    s.tables.push_back(std::move(table));
  }
}

/// The verdict is a function of the claims; a payload that says another one is malformed.
void check_verdict(const ObjectReader& o, const Statement& s) {
  const Verdict v = verdict_of(s.claims);
  const ObjectReader counts = o.object("counts");
  const bool same = parse_status(o.text("result")) == v.result &&
                    counts.count("HOLDS") == v.holds && counts.count("VIOLATED") == v.violated &&
                    counts.count("UNKNOWN") == v.unknown && counts.count("PROVED") == v.proved &&
                    counts.count("STATISTICAL") == v.statistical &&
                    counts.count("OBSERVED") == v.observed && counts.count("ASSUMED") == v.assumed;
  if (!same) {
    throw InputError(o.where(), "result and counts", "those of the claims", "others");
  }
}

void read_predicate(const ObjectReader& predicate, Statement& s) {
  const std::string version = predicate.text("schemaVersion");
  if (version.substr(0, 2) != "1.") {
    throw InputError(predicate.where(), "schemaVersion", "1.x", visible(version));
  }
  s.certificate = read_certificate(predicate.object("certificate"));
  read_inputs(predicate, s);
  for (const ObjectReader& o : predicate.objects("claims")) {
    s.claims.push_back(read_claim(o));
  }
  for (const ObjectReader& o : predicate.objects("assumptions")) {
    s.assumptions.push_back(
        {o.text("id"), o.text("text"), o.optional_text("kind"), o.optional_text("breaksIf")});
  }
  s.not_claimed = predicate.texts("notClaimed");
  read_exhibits(predicate, s);
  s.commands = predicate.object("reproduction").texts("commands");
  check_verdict(predicate.object("verdict"), s);
}

void check_recheck(const Statement& s, const Recheck& recheck, const std::string& where) {
  const auto listed = [&](const std::string& name) {
    return std::any_of(s.evidence.begin(), s.evidence.end(), [&](const Evidence& e) {
      return e.name == name || e.name.compare(0, name.size() + 1, name + "/") == 0;
    });
  };
  if (!listed(recheck.certificate)) {
    throw InputError(where, "recheck.certificate", "an evidence name",
                     visible(recheck.certificate));
  }
  for (const CheckInput& input : recheck.inputs) {
    const bool known =
        std::find(kCheckOptions.begin(), kCheckOptions.end(), input.option) != kCheckOptions.end();
    if (!known || !listed(evidence_name(input))) {
      throw InputError(where, "recheck.inputs", "a known option and an evidence name",
                       visible(input.option + " " + input.name));
    }
  }
}

void check_claim(const Statement& s, const Claim& claim, const std::string& file) {
  const std::string where = file + ": claim '" + visible(claim.id) + "'";
  for (const std::string& name : claim.evidence) {
    if (std::none_of(s.evidence.begin(), s.evidence.end(),
                     [&](const Evidence& e) { return e.name == name; })) {
      throw InputError(where, "evidence", "a listed name", visible(name));
    }
  }
  for (const std::string& id : claim.assumptions) {
    if (std::none_of(s.assumptions.begin(), s.assumptions.end(),
                     [&](const Assumption& a) { return a.id == id; })) {
      throw InputError(where, "assumptions", "a listed id", visible(id));
    }
  }
  if (!claim.counterexample.empty() &&
      std::none_of(s.evidence.begin(), s.evidence.end(),
                   [&](const Evidence& e) { return e.name == claim.counterexample; })) {
    throw InputError(where, "counterexample", "an evidence name", visible(claim.counterexample));
  }
  for (const Defeater& defeater : claim.defeaters) {
    if (defeater.state != "resolved" && defeater.state != "open" && defeater.state != "accepted") {
      throw InputError(where, "defeaters", "resolved, open or accepted", visible(defeater.state));
    }
  }
  if (claim.recheck) {
    check_recheck(s, *claim.recheck, where);
  }
}

}  // namespace

void check_rules(const Statement& s, const std::string& file) {
  std::set<std::string> seen;
  const auto once = [&](const std::string& kind, const std::string& name) {
    if (name.empty() || !seen.insert(kind + " " + name).second) {
      throw InputError(file, kind, "unique and not empty", "'" + visible(name) + "'");
    }
  };
  for (const ManifestEntry& entry : s.subject_files) {
    once("subject file", entry.name);
  }
  for (const Evidence& e : s.evidence) {
    once("evidence name", e.name);
    if (!allowed_path(e.name)) {
      throw InputError(file, "evidence name", "a relative path", "'" + visible(e.name) + "'");
    }
  }
  for (const Assumption& a : s.assumptions) {
    once("assumption id", a.id);
  }
  if (!allowed_path(s.subject_name) || s.subject_name.find('/') != std::string::npos) {
    throw InputError(file, "subject name", "a file name", "'" + visible(s.subject_name) + "'");
  }
  if (sha256(Manifest{s.subject_files}.text()) != s.subject_sha256) {
    throw InputError(file, "subject digest", "that of subjectFiles", s.subject_sha256.hex());
  }
  for (const Claim& claim : s.claims) {
    once("claim id", claim.id);
    check_claim(s, claim, file);
  }
  for (const Table& table : s.tables) {
    once("table id", table.id);
    for (const std::vector<std::string>& row : table.rows) {
      if (row.size() != table.columns.size()) {
        throw InputError(file, "table '" + visible(table.id) + "'",
                         std::to_string(table.columns.size()) + " cells a row",
                         std::to_string(row.size()));
      }
    }
  }
}

Statement parse_statement(std::string_view payload, const std::string& file) {
  if (payload.size() > kMaxPayloadBytes) {
    throw InputError(file, "payload", "at most " + std::to_string(kMaxPayloadBytes) + " bytes",
                     std::to_string(payload.size()));
  }
  const nlohmann::json value = parse_profile_json(payload, file);
  const ObjectReader top(value, file);
  if (value.size() != 4) {
    throw InputError(file, "keys", "_type, predicate, predicateType, subject", "others");
  }
  if (top.text("_type") != kStatementType || top.text("predicateType") != kPredicateType) {
    throw InputError(file, "_type and predicateType",
                     std::string(kStatementType) + " and " + kPredicateType,
                     visible(top.text("_type") + " and " + top.text("predicateType")));
  }
  const std::vector<ObjectReader> subjects = top.objects("subject");
  if (subjects.size() != 1) {
    throw InputError(file, "subject", "exactly one", std::to_string(subjects.size()));
  }
  const ObjectReader digest = subjects[0].object("digest");
  if (subjects[0].value().size() != 2 || digest.value().size() != 1) {
    throw InputError(subjects[0].where(), "keys", "name and digest.sha256", "others");
  }
  Statement s;
  s.subject_name = subjects[0].text("name");
  s.subject_sha256 = digest_of(digest, "sha256");
  read_predicate(top.object("predicate"), s);
  check_rules(s, file);
  return s;
}

}  // namespace assay::certify
