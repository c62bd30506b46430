#pragma once

#include <string>
#include <vector>

#include "assay/certify/gate.hpp"

namespace assay::certify {

/// `given`, or evidence/ beside the certificate.
[[nodiscard]] std::filesystem::path evidence_beside(const std::filesystem::path& certificate,
                                                    const std::filesystem::path& given);

struct BaselineResult {
  bool compared = false;
  std::string payload_sha256;
  std::vector<Change> changes;
  std::vector<GateFinding> findings;
};

/// Reads the policy's baseline certificate, which must be signed as the policy's trust asks (its dates and files are no longer
/// judged), and diffs. A change that blocks and is not allowed is a regression (7).
[[nodiscard]] BaselineResult compare_baseline(const GatePolicy& policy, const VerifyOptions& verify,
                                              const DiffSide& now);

}  // namespace assay::certify
