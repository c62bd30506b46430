#pragma once

#include <string>

#include "assay/certify/gate.hpp"

namespace assay::certify {

inline constexpr const char* kSummaryType = "https://slsa.dev/verification_summary/v1";

/// The gate's result as a SLSA Verification Summary Attestation v1 about the certificate's subject: PASSED or FAILED by the
/// policy and the certificate of these digests. A statement to be signed by the gate's own key.
/// @pre result.verified.statement.
[[nodiscard]] std::string summary_statement(const GateResult& result, const GatePolicy& policy,
                                            const std::string& verifier);

}  // namespace assay::certify
