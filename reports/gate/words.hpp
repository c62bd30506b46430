#pragma once

#include <string>
#include <vector>

#include "assay/report/gate_outputs.hpp"

namespace assay::report {

/// What a claim came to in the gate, in one word: "pass", "fail", "unknown", "waived".
enum class ClaimOutcome { pass, fail, unknown, waived };

/// A claim with the findings about it. `claim` is null for a required one that the certificate does not have.
struct ClaimRow {
  const certify::GateClaim* gate = nullptr;
  std::string id;
  ClaimOutcome outcome = ClaimOutcome::pass;
  std::vector<const certify::GateFinding*> findings;
};
/// Claims of the certificate, then missing ones; worst outcome first, else in the certificate's order.
[[nodiscard]] std::vector<ClaimRow> claim_rows(const certify::GateResult& result);
/// Findings that are about no claim of `claim_rows`.
[[nodiscard]] std::vector<const certify::GateFinding*> other_findings(
    const certify::GateResult& result);

[[nodiscard]] std::string outcome_word(ClaimOutcome outcome);
/// A number for people: hex floats and long fractions as shortest decimals with "≈", others as they are.
[[nodiscard]] std::string readable(const std::string& number);
/// "weakened: bound", "same", "new", or empty without a baseline.
[[nodiscard]] std::string delta_text(const certify::GateResult& result,
                                     const certify::GateClaim& claim);
/// "5 proved · 1 statistical · 0 observed · 0 violated · 1 unknown" of the certificate's claims.
[[nodiscard]] std::string counts_text(const certify::GateResult& result);

}  // namespace assay::report
