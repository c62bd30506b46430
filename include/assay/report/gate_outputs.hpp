#pragma once

#include <string>

#include "assay/certify/gate.hpp"

namespace assay::report {

/// What the outputs of a gate are made from. Every text in it may be an attacker's: each format escapes it in its own way.
struct GateReport {
  const certify::GateResult& result;
  const certify::GatePolicy& policy;
  std::string certificate;  ///< path as given, for links and locations
  bool soft = false;        ///< NOT ENFORCED: said in every format
};

/// "GATE PASSED (0): 5 proved · 1 statistical · 0 violated · 1 unknown — cert 5cdb02e9, expires 2027-01-31"
[[nodiscard]] std::string gate_headline(const GateReport& report);
/// For a terminal: headline, claims, findings.
[[nodiscard]] std::string gate_text(const GateReport& report);
/// gate.json: everything, RFC 8785.
[[nodiscard]] std::string gate_json(const GateReport& report);
/// Markdown for a step summary, below 1 MiB: what does not fit is counted. Line 1 is the headline.
[[nodiscard]] std::string gate_summary(const GateReport& report);
/// SARIF 2.1.0. `full`: every claim with its kind; else what GitHub shows as alerts, failures and unknowns alone.
[[nodiscard]] std::string gate_sarif(const GateReport& report, bool full);
/// JUnit XML: one test case a claim, one for the certificate, one for each required claim that is missing.
[[nodiscard]] std::string gate_junit(const GateReport& report);
/// GitHub workflow commands, errors then warnings, 10 of a kind at most, the last one saying how many more there are.
[[nodiscard]] std::string gate_annotations(const GateReport& report);
/// `gate_text` with workflow commands stopped around it, so that no text in it is one, then the annotations.
[[nodiscard]] std::string gate_log(const GateReport& report);
/// shields.io endpoint JSON, and the same badge as SVG.
[[nodiscard]] std::string gate_badge_json(const GateReport& report);
[[nodiscard]] std::string gate_badge_svg(const GateReport& report);

}  // namespace assay::report
