#include "assay/certify/revocation.hpp"

#include <algorithm>

#include "../emit/json_profile.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEntries = 100000;

std::string time_of(const ObjectReader& o, const char* key) {
  const std::string text = o.text(key);
  (void)parse_utc_time(text);
  return text;
}

RevocationEntry read_entry(const ObjectReader& o) {
  o.only({"certificateSha256", "keyid", "reason", "invalidAfter"});
  RevocationEntry entry{o.optional_text("certificateSha256"), o.optional_text("keyid"),
                        o.text("reason"), o.has("invalidAfter") ? time_of(o, "invalidAfter") : ""};
  if (entry.certificate_sha256.empty() == entry.key_id.empty()) {
    throw InputError(o.where(), "entry", "one of certificateSha256 and keyid", "both or neither");
  }
  if (!entry.certificate_sha256.empty()) {
    (void)parse_digest(entry.certificate_sha256);
  }
  return entry;
}

RevocationList read_list(const ObjectReader& o) {
  o.only({"sequence", "issuedAt", "nextUpdate", "entries"});
  RevocationList list{o.count("sequence"), time_of(o, "issuedAt"), time_of(o, "nextUpdate"), {}};
  const std::vector<ObjectReader> entries = o.objects("entries");
  if (entries.size() > kMaxEntries) {
    throw InputError(o.where(), "entries", "at most " + std::to_string(kMaxEntries),
                     std::to_string(entries.size()));
  }
  for (const ObjectReader& entry : entries) {
    list.entries.push_back(read_entry(entry));
  }
  return list;
}

json list_json(const RevocationList& list) {
  json entries = json::array();
  for (const RevocationEntry& entry : list.entries) {
    json out = {{"reason", entry.reason}};
    if (!entry.certificate_sha256.empty()) {
      out["certificateSha256"] = entry.certificate_sha256;
    } else {
      out["keyid"] = entry.key_id;
    }
    if (!entry.invalid_after.empty()) {
      out["invalidAfter"] = entry.invalid_after;
    }
    entries.push_back(out);
  }
  return {{"sequence", list.sequence},
          {"issuedAt", list.issued_at},
          {"nextUpdate", list.next_update},
          {"entries", entries}};
}

RevocationList parse_statement_of_list(std::string_view payload, const std::string& file) {
  const json value = parse_profile_json(payload, file);
  const ObjectReader top(value, file);
  top.only({"_type", "predicate", "predicateType", "subject"});
  if (top.text("_type") != kStatementType || top.text("predicateType") != kRevocationType) {
    throw InputError(file, "predicateType", kRevocationType, visible(top.text("predicateType")));
  }
  return read_list(top.object("predicate"));
}

}  // namespace

RevocationList parse_revocation_list(std::string_view text, const std::string& file) {
  try {
    const json value = parse_profile_json(text, file);
    return read_list(ObjectReader(value, file));
  } catch (const InputError& e) {
    throw UsageError(std::string("revocation list: ") + e.what());
  }
}

std::string revocation_statement(const RevocationList& list) {
  const json predicate = list_json(list);
  return canonical_json(
      {{"_type", kStatementType},
       {"predicateType", kRevocationType},
       {"predicate", predicate},
       {"subject",
        json::array({{{"name", "revocation-list"},
                      {"digest", {{"sha256", sha256(canonical_json(predicate)).hex()}}}}})}});
}

ReadRevocation read_revocation(const std::filesystem::path& file, const TrustPolicy& policy,
                               const std::string& now) {
  ReadRevocation read;
  const std::string name = "revocation list " + file.filename().string();
  std::string text;
  try {
    text = read_file(file, kMaxEnvelopeBytes);
  } catch (const InputError& e) {  // withheld is as good as out of date
    read.findings.push_back({ExitCode::expired, "revocation list: " + std::string(e.what())});
    return read;
  }
  const Envelope envelope = parse_envelope(text, name);
  const std::vector<Signer> signers = signers_of(envelope, policy, kRevokerRole, now);
  const std::size_t threshold = std::max<std::size_t>(policy.threshold(kRevokerRole), 1);
  if (std::optional<Finding> fault = threshold_fault(signers, kRevokerRole, threshold)) {
    fault->text = name + ": " + fault->text;
    read.findings.push_back(std::move(*fault));
    return read;
  }
  if (envelope.payload_type != kPayloadType) {
    throw InputError(name, "payloadType", kPayloadType, visible(envelope.payload_type));
  }
  RevocationList list = parse_statement_of_list(envelope.payload, name);
  if (now < list.issued_at || now > list.next_update) {
    read.findings.push_back({ExitCode::expired, name + ": in force from " + list.issued_at +
                                                    " to " + list.next_update + ", not at " + now});
    return read;
  }
  read.list = std::move(list);
  return read;
}

void apply_revocation(TrustPolicy& policy, const RevocationList& list) {
  for (const RevocationEntry& entry : list.entries) {
    for (TrustedKey& key : policy.keys) {
      if (!entry.key_id.empty() && key.key.key_id() == entry.key_id) {
        const std::string from =
            entry.invalid_after.empty() ? "1970-01-01T00:00:00Z" : entry.invalid_after;
        key.revoked_at = key.revoked_at.empty() ? from : std::min(key.revoked_at, from);
      }
    }
  }
}

}  // namespace assay::certify
