#include "authentication.hpp"

#include <algorithm>

#include "assay/base/text.hpp"
#include "seen.hpp"

namespace assay::certify {
namespace {

constexpr std::int64_t kDay = 86400;

bool listed(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

bool Authentication::signatures(const Envelope& envelope) {
  if (options_.trust_file.empty()) {
    return single_key(envelope);
  }
  if (!options_.key_file.empty()) {
    throw UsageError("give a key or a trust policy, not both");
  }
  policy_ = load_trust_policy(options_.trust_file);
  result_.trust_sha256 = policy_->digest.hex();
  if (!policy_->expires.empty() && result_.at > policy_->expires) {
    fail(ExitCode::expired, "the trust policy expired at " + policy_->expires);
  }
  read_list();
  return thresholds(envelope, "");
}

bool Authentication::single_key(const Envelope& envelope) {
  if (!options_.revocation_file.empty()) {
    throw UsageError("a revocation list needs a trust policy, which names its signers");
  }
  if (options_.key_file.empty()) {
    fail(ExitCode::signature, "signer not established: no key was given");
    return true;
  }
  const PublicKey key = load_public_key(options_.key_file);
  if (!signed_by(envelope, key)) {
    fail(ExitCode::signature, "no signature by key " + key.key_id() + " over these bytes");
    return false;
  }
  result_.signers = {{key.key_id(), "", scheme_name(key.scheme()), ""}};
  step("signature by " + key.key_id());
  return true;
}

bool Authentication::thresholds(const Envelope& envelope, const std::string& issued_at) {
  const bool again = !issued_at.empty();  // the key's validity against the stated time of issue
  result_.signers = signers_of(envelope, *policy_, "", result_.at, issued_at);
  bool met = true;
  for (const RoleThreshold& wanted : policy_->require) {
    if (wanted.role == kRootRole || wanted.role == kRevokerRole) {
      continue;
    }
    if (std::optional<Finding> fault =
            threshold_fault(result_.signers, wanted.role, wanted.threshold)) {
      result_.findings.push_back(std::move(*fault));
      met = false;
    } else if (!again) {
      step("role " + visible(wanted.role) + ": at least " + std::to_string(wanted.threshold) +
           " distinct trusted keys signed");
    }
  }
  return met;
}

void Authentication::read_list() {
  if (options_.revocation_file.empty()) {
    if (policy_->needs_revocation_list) {
      fail(ExitCode::expired, "the trust policy asks for a revocation list, none was given");
    }
    return;
  }
  ReadRevocation read = read_revocation(options_.revocation_file, *policy_, result_.at);
  if (!read.findings.empty()) {
    result_.findings.insert(result_.findings.end(), read.findings.begin(), read.findings.end());
    return;
  }
  apply_revocation(*policy_, read.list);
  step("revocation list " + std::to_string(read.list.sequence) + ", in force until " +
       read.list.next_update + ", " + std::to_string(read.list.entries.size()) + " entries");
  list_ = std::move(read.list);
}

void Authentication::currency(const Envelope& envelope, const Statement& statement) {
  const CertificateInfo& info = statement.certificate;
  validity(info);
  if (policy_) {
    policy_limits(info);
    if (!info.issued_at.empty()) {
      (void)thresholds(envelope, info.issued_at);
    }
  }
  if (list_) {
    for (const RevocationEntry& entry : list_->entries) {
      if (entry.certificate_sha256 == result_.payload_sha256 && entry.in_force(result_.at)) {
        fail(ExitCode::expired, "revoked: " + visible(entry.reason));
      }
    }
  }
  if (!options_.state_file.empty()) {
    rollback(info);
  }
}

void Authentication::validity(const CertificateInfo& info) {
  const std::string& now = result_.at;
  const std::string& from = info.not_before.empty() ? info.issued_at : info.not_before;
  // The form has fixed width: text order is time order.
  if (!from.empty() && now < from) {
    fail(ExitCode::expired, "not valid before " + from);
  }
  if (!info.not_after.empty() && now > info.not_after) {
    fail(ExitCode::expired, "expired at " + info.not_after);
  }
  step(info.not_after.empty() ? "no expiry date is stated" : "valid until " + info.not_after);
}

void Authentication::policy_limits(const CertificateInfo& info) {
  if (!policy_->predicate_types.empty() && !listed(policy_->predicate_types, kPredicateType)) {
    fail(ExitCode::signature,
         std::string("the trust policy does not trust its keys for ") + kPredicateType);
  }
  if (!policy_->resource_uris.empty() && !listed(policy_->resource_uris, info.resource_uri)) {
    fail(ExitCode::expired,
         "it is about '" + visible(info.resource_uri) + "', which the trust policy does not list");
  }
  if (info.sequence < policy_->min_sequence) {
    fail(ExitCode::expired, "sequence " + std::to_string(info.sequence) +
                                " is older than the trust policy's " +
                                std::to_string(policy_->min_sequence));
  }
  if (std::optional<Finding> fault = age_fault(info, policy_->max_age_days, result_.at)) {
    result_.findings.push_back(std::move(*fault));
  }
}

void Authentication::rollback(const CertificateInfo& info) {
  const Seen seen = load_seen(options_.state_file);
  const auto older = [&](const std::string& what, std::uint64_t found, std::uint64_t highest) {
    if (found < highest) {
      fail(ExitCode::expired, what + " " + std::to_string(found) +
                                  " was replaced: " + std::to_string(highest) + " has been seen");
    }
  };
  if (policy_) {
    older("trust policy version", policy_->version, seen.trust_version);
  }
  if (list_) {
    older("revocation list", list_->sequence, seen.revocation_sequence);
  }
  const auto highest = seen.sequences.find(info.resource_uri);
  if (highest != seen.sequences.end()) {
    older("certificate sequence", info.sequence, highest->second);
  }
}

void Authentication::remember(const Statement& statement) const {
  if (options_.state_file.empty()) {
    return;
  }
  Seen seen = load_seen(options_.state_file);
  const CertificateInfo& info = statement.certificate;
  seen.trust_version = std::max(seen.trust_version, policy_ ? policy_->version : 0);
  seen.revocation_sequence = std::max(seen.revocation_sequence, list_ ? list_->sequence : 0);
  std::uint64_t& highest = seen.sequences[info.resource_uri];
  highest = std::max(highest, info.sequence);
  save_seen(options_.state_file, seen);
}

std::optional<Finding> age_fault(const CertificateInfo& info, std::uint64_t max_days,
                                 const std::string& now) {
  if (max_days == 0) {
    return std::nullopt;
  }
  if (info.issued_at.empty()) {
    return Finding{ExitCode::expired, "no time of issue is stated, so its age is unknown"};
  }
  const std::int64_t age = parse_utc_time(now) - parse_utc_time(info.issued_at);
  if (age > static_cast<std::int64_t>(std::min<std::uint64_t>(max_days, 3'000'000)) * kDay) {
    return Finding{ExitCode::expired, "issued at " + info.issued_at + ", more than " +
                                          std::to_string(max_days) + " days ago"};
  }
  return std::nullopt;
}

}  // namespace assay::certify
