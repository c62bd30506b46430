#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/finding.hpp"

namespace assay::certify {

/// Roles with a meaning of their own; every other role signs certificates.
inline constexpr const char* kRootRole = "root";        ///< signs trust policies
inline constexpr const char* kRevokerRole = "revoker";  ///< signs revocation lists

/// A key that the verifier trusts, in exactly one role.
struct TrustedKey {
  PublicKey key;
  std::string role;
  std::string valid_from, valid_until, revoked_at;  ///< UTC, or empty
};

struct RoleThreshold {
  std::string role;
  std::size_t threshold = 1;  ///< distinct keys of that role
};

/// What the verifier trusts: its own file, never taken from beside a certificate (docs/gate.md).
struct TrustPolicy {
  std::string source;  ///< file name, for messages
  Digest digest;       ///< of the file's bytes
  std::uint64_t version = 0;
  std::string expires;  ///< UTC, or empty
  std::vector<TrustedKey> keys;
  std::vector<RoleThreshold> require;
  std::vector<std::string> predicate_types, resource_uris;
  std::uint64_t min_sequence = 0;
  std::uint64_t max_age_days = 0;  ///< 0: no limit
  bool needs_revocation_list = false;

  /// Keys of that role that must have signed; 0 when the policy does not name the role.
  [[nodiscard]] std::size_t threshold(const std::string& role) const;
};

/// Every key known and of its kind, every public key usable and listed once, every threshold within reach of the
/// keys of its role; UsageError otherwise.
[[nodiscard]] TrustPolicy parse_trust_policy(std::string_view json, const std::string& file);
[[nodiscard]] TrustPolicy load_trust_policy(const std::filesystem::path& file);

/// A key whose signature is over exactly the envelope's bytes.
struct Signer {
  std::string key_id, role, scheme;
  std::string unusable;  ///< why the signature does not count ("revoked at …"), or empty
};

/// The policy's keys of `role` (any role but root and revoker when empty) that signed, in the policy's order; each key counts
/// once, whatever key ids the envelope names. `now` and, when stated, `issued_at` must lie in the key's validity.
[[nodiscard]] std::vector<Signer> signers_of(const Envelope& envelope, const TrustPolicy& policy,
                                             const std::string& role, const std::string& now,
                                             const std::string& issued_at = {});

/// What is missing for the threshold of `role`: nothing, a signature failure (4), or, when the signatures are there and only
/// their keys are revoked or out of date, that (6).
[[nodiscard]] std::optional<Finding> threshold_fault(const std::vector<Signer>& signers,
                                                     const std::string& role,
                                                     std::size_t threshold);

}  // namespace assay::certify
