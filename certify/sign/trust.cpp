#include "assay/certify/trust.hpp"

#include <algorithm>

#include "../emit/json_profile.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxPolicy = std::size_t{1} << 20U;
constexpr std::size_t kMaxKeys = 64;

/// Time `key`, checked, or "".
std::string time_text(const ObjectReader& o, const char* key) {
  std::string text = o.optional_text(key);
  if (!text.empty()) {
    (void)parse_utc_time(text);
  }
  return text;
}

std::uint64_t optional_count(const ObjectReader& o, const char* key) {
  return o.has(key) ? o.count(key) : 0;
}

TrustedKey read_key(const ObjectReader& o) {
  o.only({"keyid", "scheme", "public", "roles", "validFrom", "validUntil", "revokedAt"});
  PublicKey key = parse_public_key(o.text("public"), o.where() + ".public");
  if (o.has("keyid") && o.text("keyid") != key.key_id()) {
    throw InputError(o.where(), "keyid", key.key_id(), visible(o.text("keyid")));
  }
  if (o.has("scheme") && o.text("scheme") != scheme_name(key.scheme())) {
    throw InputError(o.where(), "scheme", scheme_name(key.scheme()), visible(o.text("scheme")));
  }
  const std::vector<std::string> roles = o.texts("roles");
  if (roles.size() != 1 || roles[0].empty()) {
    throw InputError(o.where(), "roles", "exactly one role: a key has one duty",
                     std::to_string(roles.size()));
  }
  return {std::move(key), roles[0], time_text(o, "validFrom"), time_text(o, "validUntil"),
          time_text(o, "revokedAt")};
}

/// Keys once each, roles once each, every threshold within reach, and somebody to sign certificates.
void check_policy(const TrustPolicy& policy) {
  for (std::size_t i = 0; i < policy.keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (policy.keys[i].key == policy.keys[j].key) {
        throw InputError(policy.source, "keys", "each public key once",
                         policy.keys[i].key.key_id() + " again");
      }
    }
  }
  bool certificates = false;
  for (std::size_t i = 0; i < policy.require.size(); ++i) {
    const RoleThreshold& wanted = policy.require[i];
    const std::string name = "require '" + visible(wanted.role) + "'";
    const auto holders = static_cast<std::size_t>(
        std::count_if(policy.keys.begin(), policy.keys.end(),
                      [&](const TrustedKey& k) { return k.role == wanted.role; }));
    if (wanted.threshold == 0 || wanted.threshold > holders) {
      throw InputError(
          policy.source, name,
          "a threshold from 1 to the " + std::to_string(holders) + " keys of that role",
          std::to_string(wanted.threshold));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (policy.require[j].role == wanted.role) {
        throw InputError(policy.source, name, "each role once", "it again");
      }
    }
    certificates = certificates || (wanted.role != kRootRole && wanted.role != kRevokerRole);
  }
  if (!certificates) {
    throw InputError(policy.source, "require", "at least one role that signs certificates", "none");
  }
  if (policy.needs_revocation_list && policy.threshold(kRevokerRole) == 0) {
    throw InputError(policy.source, "revocation",
                     "a threshold of the role revoker, to sign the list", "none");
  }
}

TrustPolicy read_policy(const ObjectReader& o, const std::string& file) {
  o.only({"version", "expires", "keys", "require", "predicateTypes", "resourceUris", "minSequence",
          "maxAgeDays", "revocation"});
  TrustPolicy policy;
  policy.source = file;
  policy.version = o.count("version");
  policy.expires = time_text(o, "expires");
  const std::vector<ObjectReader> keys = o.objects("keys");
  if (keys.empty() || keys.size() > kMaxKeys) {
    throw InputError(file, "keys", "1 to " + std::to_string(kMaxKeys), std::to_string(keys.size()));
  }
  for (const ObjectReader& key : keys) {
    policy.keys.push_back(read_key(key));
  }
  for (const ObjectReader& wanted : o.objects("require")) {
    wanted.only({"role", "threshold"});
    policy.require.push_back({wanted.text("role"), wanted.count("threshold")});
  }
  policy.predicate_types = o.texts("predicateTypes");
  policy.resource_uris = o.texts("resourceUris");
  policy.min_sequence = optional_count(o, "minSequence");
  policy.max_age_days = optional_count(o, "maxAgeDays");
  const std::string revocation = o.has("revocation") ? o.text("revocation") : "none";
  if (revocation != "require" && revocation != "none") {
    throw InputError(file, "revocation", "require or none", visible(revocation));
  }
  policy.needs_revocation_list = revocation == "require";
  check_policy(policy);
  return policy;
}

/// Why a valid signature of this key does not count at `now`; empty when it does.
std::string unusable_because(const TrustedKey& key, const std::string& now,
                             const std::string& issued_at) {
  // The form of times has fixed width: text order is time order.
  if (!key.revoked_at.empty() && now >= key.revoked_at) {
    return "revoked at " + key.revoked_at;
  }
  for (const std::string& time : {now, issued_at}) {
    if (!time.empty() && !key.valid_from.empty() && time < key.valid_from) {
      return "not valid before " + key.valid_from;
    }
    if (!time.empty() && !key.valid_until.empty() && time > key.valid_until) {
      return "not valid after " + key.valid_until;
    }
  }
  return {};
}

}  // namespace

std::size_t TrustPolicy::threshold(const std::string& role) const {
  const auto it = std::find_if(require.begin(), require.end(),
                               [&](const RoleThreshold& r) { return r.role == role; });
  return it == require.end() ? 0 : it->threshold;
}

TrustPolicy parse_trust_policy(std::string_view json, const std::string& file) {
  try {
    const nlohmann::json value = parse_profile_json(json, file);
    TrustPolicy policy = read_policy(ObjectReader(value, file), file);
    policy.digest = sha256(json);
    return policy;
  } catch (const Error& e) {
    throw UsageError(std::string("trust policy: ") + e.what());
  }
}

TrustPolicy load_trust_policy(const std::filesystem::path& file) {
  try {
    return parse_trust_policy(read_file(file, kMaxPolicy), file.string());
  } catch (const InputError& e) {
    throw UsageError(std::string("trust policy: ") + e.what());
  }
}

std::vector<Signer> signers_of(const Envelope& envelope, const TrustPolicy& policy,
                               const std::string& role, const std::string& now,
                               const std::string& issued_at) {
  std::vector<Signer> out;
  for (const TrustedKey& key : policy.keys) {
    const bool asked =
        role.empty() ? key.role != kRootRole && key.role != kRevokerRole : key.role == role;
    if (asked && signed_by(envelope, key.key)) {
      out.push_back({key.key.key_id(), key.role, scheme_name(key.key.scheme()),
                     unusable_because(key, now, issued_at)});
    }
  }
  return out;
}

std::optional<Finding> threshold_fault(const std::vector<Signer>& signers, const std::string& role,
                                       std::size_t threshold) {
  std::size_t usable = 0;
  std::string unusable;
  std::size_t all = 0;
  for (const Signer& signer : signers) {
    if (signer.role == role) {
      ++all;
      usable += signer.unusable.empty() ? 1U : 0U;
      unusable += signer.unusable.empty() ? "" : "; " + signer.key_id + " " + signer.unusable;
    }
  }
  if (usable >= threshold) {
    return std::nullopt;
  }
  return Finding{all >= threshold ? ExitCode::expired : ExitCode::signature,
                 "role '" + visible(role) + "': " + std::to_string(threshold) +
                     " distinct trusted keys must have signed, " + std::to_string(usable) + " did" +
                     unusable};
}

}  // namespace assay::certify
