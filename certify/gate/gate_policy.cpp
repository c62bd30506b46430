#include "assay/certify/gate_policy.hpp"

#include <algorithm>
#include <set>

#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/diff.hpp"
#include "exact_number.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPolicy = std::size_t{1} << 20U;

/// A path beside the policy, or nothing.
fs::path path_of(const ObjectReader& o, const char* key, const fs::path& folder) {
  const std::string text = o.optional_text(key);
  return text.empty() ? fs::path() : folder / text;
}

/// A number that can be compared exactly.
std::string number_of(const ObjectReader& o, const char* key) {
  const std::string text = o.text(key);
  if (!exact_number(text)) {
    throw InputError(o.where(), key, "a hex float, a fraction or a decimal", visible(text));
  }
  return text;
}

ClaimRequirement read_requirement(const ObjectReader& o) {
  o.only({"id", "minLevel", "maxBound", "kind", "formal", "domain"});
  ClaimRequirement wanted;
  wanted.id = o.text("id");
  wanted.min_level = parse_level(o.text("minLevel"));
  if (wanted.min_level == Level::assumed) {
    throw InputError(o.where(), "minLevel", "PROVED, STATISTICAL or OBSERVED",
                     "ASSUMED, which shows nothing");
  }
  wanted.max_bound = o.has("maxBound") ? number_of(o, "maxBound") : "";
  wanted.kind = o.optional_text("kind");
  wanted.formal = o.optional_text("formal");
  wanted.domain = o.optional_text("domain");
  return wanted;
}

AllowedChange read_allowed(const nlohmann::json& entry, const std::string& where) {
  const nlohmann::json object =
      entry.is_string() ? nlohmann::json{{"change", entry}} : entry;  // "tool-change"
  const ObjectReader o(object, where);
  o.only({"change", "claim", "aspect", "reason"});
  AllowedChange allowed{o.text("change"), o.optional_text("claim"), o.optional_text("aspect"),
                        o.optional_text("reason")};
  const std::optional<ChangeKind> kind = parse_change(allowed.change);
  if (!kind || !blocks(*kind)) {
    throw InputError(where, "change", "removed, weakened, tool-change or dataset-change",
                     visible(allowed.change));
  }
  const bool grave = *kind == ChangeKind::removed || *kind == ChangeKind::weakened;
  if (grave && allowed.reason.empty()) {
    throw InputError(where, "reason", "why this is allowed", "nothing");
  }
  return allowed;
}

Baseline read_baseline(const ObjectReader& o, const fs::path& folder) {
  o.only({"certificate", "evidence", "allow"});
  Baseline baseline{folder / o.text("certificate"), path_of(o, "evidence", folder), {}};
  if (o.has("allow")) {
    const nlohmann::json& list = o.value().at("allow");
    if (!list.is_array()) {
      throw InputError(o.where(), "allow", "a list", list.type_name());
    }
    for (const nlohmann::json& entry : list) {
      baseline.allow.push_back(read_allowed(entry, o.where() + ".allow"));
    }
  }
  return baseline;
}

Waiver read_waiver(const ObjectReader& o) {
  o.only({"claim", "reason", "owner", "expires"});
  Waiver waiver{o.text("claim"), o.text("reason"), o.text("owner"), o.text("expires")};
  (void)parse_utc_time(waiver.expires);
  if (waiver.reason.empty() || waiver.owner.empty()) {
    throw InputError(o.where(), "reason and owner", "words", "nothing");
  }
  return waiver;
}

/// Accepted assumptions: "A1", or {"id": "A1", "text": "…"}.
std::vector<Assumption> read_assumptions(const ObjectReader& o) {
  std::vector<Assumption> out;
  const nlohmann::json& list = o.value().at("acceptAssumptions");
  if (!list.is_array()) {
    throw InputError(o.where(), "acceptAssumptions", "a list", list.type_name());
  }
  for (const nlohmann::json& entry : list) {
    const nlohmann::json object = entry.is_string() ? nlohmann::json{{"id", entry}} : entry;
    const ObjectReader accepted(object, o.where() + ".acceptAssumptions");
    accepted.only({"id", "text"});
    out.push_back({accepted.text("id"), accepted.optional_text("text"), "", ""});
  }
  return out;
}

void read_claims(const ObjectReader& o, GatePolicy& policy) {
  std::set<std::string> seen;
  for (const ObjectReader& wanted : o.objects("requireClaims")) {
    policy.claims.push_back(read_requirement(wanted));
    if (!seen.insert(policy.claims.back().id).second) {
      throw InputError(o.where(), "requireClaims", "each id once",
                       visible(policy.claims.back().id) + " again");
    }
  }
  if (policy.claims.empty()) {
    throw InputError(o.where(), "requireClaims", "at least one claim that must hold", "none");
  }
  policy.forbidden = {Status::violated};
  if (o.has("forbidStatus")) {
    policy.forbidden.clear();
    for (const std::string& word : o.texts("forbidStatus")) {
      policy.forbidden.push_back(parse_status(word));
      if (policy.forbidden.back() == Status::holds) {
        throw InputError(o.where(), "forbidStatus", "VIOLATED or UNKNOWN", word);
      }
    }
  }
}

GatePolicy read_policy(const ObjectReader& o, const fs::path& folder) {
  o.only({"version", "trustPolicy", "trustPolicySha256", "revocationList", "resourceUri",
          "requireClaims", "forbidStatus", "onUnknown", "minCoverage", "maxAgeDays", "baseline",
          "recheckProofs", "acceptAssumptions", "waivers"});
  if (o.count("version") != 1) {
    throw InputError(o.where(), "version", "1", std::to_string(o.count("version")));
  }
  GatePolicy policy;
  policy.trust_policy = path_of(o, "trustPolicy", folder);
  if (o.has("trustPolicySha256")) {
    policy.trust_sha256 = parse_digest(o.text("trustPolicySha256"));
  }
  policy.revocation_list = path_of(o, "revocationList", folder);
  policy.resource_uri = o.text("resourceUri");
  read_claims(o, policy);
  const std::string unknown = o.has("onUnknown") ? o.text("onUnknown") : "fail";
  if (unknown != "fail" && unknown != "warn") {
    throw InputError(o.where(), "onUnknown", "fail or warn", visible(unknown));
  }
  policy.unknown_fails = unknown == "fail";
  policy.min_coverage = o.has("minCoverage") ? number_of(o, "minCoverage") : "0";
  policy.max_age_days = o.has("maxAgeDays") ? o.count("maxAgeDays") : 0;
  if (o.has("baseline")) {
    policy.baseline = read_baseline(o.object("baseline"), folder);
  }
  policy.recheck_proofs = o.flag("recheckProofs", true);
  policy.pins_assumptions = o.has("acceptAssumptions");
  if (policy.pins_assumptions) {
    policy.assumptions = read_assumptions(o);
  }
  for (const ObjectReader& waiver : o.objects("waivers")) {
    policy.waivers.push_back(read_waiver(waiver));
  }
  return policy;
}

}  // namespace

GatePolicy parse_gate_policy(std::string_view text, const fs::path& file) {
  try {
    const nlohmann::json value = parse_profile_json(text, file.string());
    GatePolicy policy = read_policy(ObjectReader(value, file.string()), file.parent_path());
    policy.source = file.string();
    policy.digest = sha256(text);
    return policy;
  } catch (const InputError& e) {
    throw UsageError(std::string("gate policy: ") + e.what());
  }
}

GatePolicy load_gate_policy(const fs::path& file) {
  try {
    return parse_gate_policy(read_file(file, kMaxPolicy), file);
  } catch (const InputError& e) {
    throw UsageError(std::string("gate policy: ") + e.what());
  }
}

}  // namespace assay::certify
