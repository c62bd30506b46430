#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/certify/diff.hpp"
#include "assay/certify/gate_policy.hpp"
#include "assay/certify/verify.hpp"

namespace assay::certify {

enum class Severity { error, warning, note };

/// Something that the gate found; an error decides the exit code unless it is waived.
struct GateFinding {
  Severity severity = Severity::error;
  Finding finding;
  std::string waived_by;  ///< "REASON (OWNER, until DAY)", or empty
};

/// What a claim of the certificate came to.
struct GateClaim {
  const Claim* claim = nullptr;  ///< of GateResult::verified.statement
  bool required = false;
  bool meets = false;           ///< required, and everything that is required of it is shown
  std::string max_bound;        ///< the policy's, or empty
  std::string shown_bound;      ///< what the proof bounds it by, or empty
  std::vector<Change> changes;  ///< against the baseline
};

struct GateResult {
  ExitCode code = ExitCode::ok;
  std::vector<GateFinding> findings;  ///< worst first
  VerifyResult verified;
  std::vector<GateClaim> claims;     ///< of the certificate, in its order
  std::vector<Change> changes;       ///< against the baseline, all of them
  std::vector<std::string> missing;  ///< required claims that the certificate does not have
  bool compared = false;             ///< with a baseline
  std::string baseline_sha256;       ///< of its payload, or empty

  [[nodiscard]] std::size_t required() const;
  [[nodiscard]] std::size_t meeting() const;
};

struct GateOptions {
  VerifyOptions verify;           ///< certificate, model, evidence, key, time
  bool unknown_fails = false;     ///< --fail-on unknown: tighten only
  bool forbids_warnings = false;  ///< --fail-on warning
};

/// Verifies the certificate and holds it against the policy.
///
///   GATE   the certificate verifies, for every required claim C: C HOLDS, level(C) >= minLevel, shown bound(C) <= maxBound,
///          C's property says something, its assumptions are accepted   |-  passes (0)
/// A policy is monotonic: it asks for what must hold, and what is not there does not hold. Throws UsageError for a
/// policy that cannot be used; anything else that is wrong is a finding.
[[nodiscard]] GateResult run_gate(const GatePolicy& policy, const GateOptions& options);

/// The upper bound of a claim as its proof or recount shows it, or empty: a number that only the signer wrote is none.
[[nodiscard]] std::string shown_bound(const Claim& claim);

}  // namespace assay::certify
