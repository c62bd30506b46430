#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "assay/certify/trust.hpp"

namespace assay::certify {

inline constexpr const char* kRevocationType = "https://assay.invalid/revocation/v1";

/// One certificate (by the digest of its payload) or one key that no longer counts.
struct RevocationEntry {
  std::string certificate_sha256, key_id;  ///< exactly one of them
  std::string reason;
  std::string invalid_after;  ///< from this moment on; empty: always

  [[nodiscard]] bool in_force(const std::string& now) const {
    return invalid_after.empty() || now > invalid_after;
  }
};

struct RevocationList {
  std::uint64_t sequence = 0;
  std::string issued_at, next_update;  ///< UTC
  std::vector<RevocationEntry> entries;
};

/// The list as a text file: JSON, docs/gate.md. Throws UsageError.
[[nodiscard]] RevocationList parse_revocation_list(std::string_view json, const std::string& file);
/// The in-toto statement that is signed. Its one subject is the predicate itself.
[[nodiscard]] std::string revocation_statement(const RevocationList& list);

/// The list of a signed envelope, by the policy's revokers, in force at `now`. On anything wrong the list is empty and the
/// findings say what: not signed as required (4), not of this form (9), not yet issued or out of date (6).
struct ReadRevocation {
  RevocationList list;
  std::vector<Finding> findings;
};
[[nodiscard]] ReadRevocation read_revocation(const std::filesystem::path& file,
                                             const TrustPolicy& policy, const std::string& now);

/// The policy with the list's keys revoked.
void apply_revocation(TrustPolicy& policy, const RevocationList& list);

}  // namespace assay::certify
