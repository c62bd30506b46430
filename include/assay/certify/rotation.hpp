#pragma once

#include <string>
#include <vector>

#include "assay/certify/trust.hpp"

namespace assay::certify {

inline constexpr const char* kTrustPolicyType = "https://assay.invalid/trust-policy/v1";

/// The statement that signs a trust policy: its one subject is the policy's file.
[[nodiscard]] std::string trust_statement(const TrustPolicy& policy);

/// What keeps a verifier from going over from `old` to `now`; nothing when it may.
///
///   ROTATE   version(now) = version(old) + 1, `signatures` is over now's bytes,
///            by the root thresholds of `old` and of `now`   |-  now replaces old
/// Throws InputError on an envelope of another form.
[[nodiscard]] std::vector<Finding> rotation_faults(const TrustPolicy& old, const TrustPolicy& now,
                                                   const Envelope& signatures,
                                                   const std::string& at);

}  // namespace assay::certify
