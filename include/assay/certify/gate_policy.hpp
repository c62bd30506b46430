#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {

/// One claim that must HOLD, and how well. What is empty asks for nothing.
struct ClaimRequirement {
  std::string id;
  Level min_level = Level::proved;
  std::string max_bound;             ///< a number: hex float, fraction or decimal
  std::string kind, formal, domain;  ///< the claim's words, letter by letter
};

/// A claim that may miss the policy until a day.
struct Waiver {
  std::string claim, reason, owner;
  std::string expires;  ///< UTC
};

/// A change against the baseline that does not block; `removed` and `weakened` need a reason.
struct AllowedChange {
  std::string change, claim, aspect, reason;  ///< claim and aspect: empty allows any
};

struct Baseline {
  std::filesystem::path certificate;
  std::filesystem::path evidence;  ///< empty: evidence/ beside it
  std::vector<AllowedChange> allow;
};

/// What a release must show: a file of the pipeline's owner, never of the one who asks for the release (docs/gate.md).
struct GatePolicy {
  std::string source;
  Digest digest;                       ///< of the file's bytes
  std::filesystem::path trust_policy;  ///< empty: the key is named on the command line
  std::optional<Digest> trust_sha256;
  std::filesystem::path revocation_list;  ///< or empty
  std::string resource_uri;
  std::vector<ClaimRequirement> claims;  ///< at least one
  std::vector<Status> forbidden;         ///< of any claim of the certificate
  bool unknown_fails = true;             ///< any claim that is UNKNOWN, not only a required one
  std::string min_coverage = "0";        ///< share of the certificate's claims that are decided
  std::uint64_t max_age_days = 0;        ///< 0: no limit
  std::optional<Baseline> baseline;
  bool recheck_proofs = true;
  bool pins_assumptions = false;        ///< `assumptions` was given
  std::vector<Assumption> assumptions;  ///< accepted: by id, and by text when there is one
  std::vector<Waiver> waivers;
};

/// Every key known and of its kind, paths beside the file; UsageError otherwise.
[[nodiscard]] GatePolicy parse_gate_policy(std::string_view json,
                                           const std::filesystem::path& file);
[[nodiscard]] GatePolicy load_gate_policy(const std::filesystem::path& file);

}  // namespace assay::certify
