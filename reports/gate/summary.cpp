#include "escape.hpp"
#include "words.hpp"

namespace assay::report {
namespace {

using certify::GateFinding;

constexpr std::size_t kMaxSummary = 1'000'000;  // an upload of 1 MiB is refused

std::string sign(ClaimOutcome outcome) {
  static constexpr const char* kSigns[] = {"✅ pass", "❌ fail", "❔ unknown", "⚠️ waived"};
  return kSigns[static_cast<int>(outcome)];
}

std::string row_text(const ClaimRow& row, const certify::GateResult& result) {
  if (row.gate == nullptr) {
    return "| " + markdown(row.id) + " | – | – | – | ❔ not in the certificate | |\n";
  }
  const certify::Claim& c = *row.gate->claim;
  const std::string bound = row.gate->shown_bound.empty() ? c.bound : row.gate->shown_bound;
  const std::string limit = row.gate->max_bound.empty() ? c.threshold : row.gate->max_bound;
  return "| " + markdown(c.id) + (row.gate->required ? " (required)" : "") + " | " +
         (c.status == certify::Status::unknown ? "–" : certify::level_name(c.level)) + " | " +
         markdown(readable(bound)) + " | " + markdown(readable(limit)) + " | " +
         certify::status_name(c.status) + ", " + sign(row.outcome) + " | " +
         markdown(delta_text(result, *row.gate)) + " |\n";
}

std::string finding_text(const GateFinding& f) {
  const bool error = f.severity == certify::Severity::error;
  return "- " +
         (error ? "**" + std::to_string(static_cast<int>(f.finding.code)) + "** "
                : std::string(f.severity == certify::Severity::note ? "note: " : "warning: ")) +
         (f.finding.claim.empty() ? "" : markdown(f.finding.claim) + ": ") +
         markdown(f.finding.text) +
         (f.waived_by.empty() ? "" : " — waived: " + markdown(f.waived_by)) + "\n";
}

/// Adds lines while they fit; says how many did not.
class Lines {
 public:
  explicit Lines(std::string& out) : out_(out) {}
  void add(const std::string& line) {
    if (out_.size() + line.size() > kMaxSummary) {
      ++left_;
    } else {
      out_ += line;
    }
  }
  void end(const char* what) {
    if (left_ > 0) {
      out_ += "\n… and " + std::to_string(left_) + " more " + what + " (gate.json has them all)\n";
    }
  }

 private:
  std::string& out_;
  std::size_t left_ = 0;
};

std::string details_of(const GateReport& report) {
  const certify::GateResult& r = report.result;
  std::string out = "\n<details><summary>Digests, signers, assumptions</summary>\n\n";
  out += "- policy " + markdown(report.policy.source) + ", sha256 " + report.policy.digest.hex() +
         "\n";
  out += "- certificate " + markdown(report.certificate) + ", payload sha256 " +
         r.verified.payload_sha256 + "\n";
  if (!r.verified.trust_sha256.empty()) {
    out += "- trust policy sha256 " + r.verified.trust_sha256 + "\n";
  }
  out += "- signed by " +
         markdown(r.verified.signer().empty() ? "nobody who is trusted" : r.verified.signer()) +
         "\n";
  if (r.verified.statement) {
    const certify::Statement& s = *r.verified.statement;
    out += "- subject " + markdown(s.subject_name) + ", sha256 " + s.subject_sha256.hex() + "\n";
    for (const certify::Assumption& a : s.assumptions) {
      out += "- assumption " + markdown(a.id) + ": " + markdown(a.text) + "\n";
    }
  }
  return out + "\n</details>\n";
}

}  // namespace

std::string gate_summary(const GateReport& report) {
  const certify::GateResult& r = report.result;
  std::string out = (r.code == ExitCode::ok ? "✅ " : "❌ ") + gate_headline(report) + "\n\n";
  if (report.soft) {
    out += "**NOT ENFORCED**: this gate was run with --soft.\n\n";
  }
  Lines lines(out);
  if (!r.findings.empty()) {
    lines.add("### Findings\n");
    for (const GateFinding& f : r.findings) {
      lines.add(finding_text(f));
    }
  }
  out +=
      "\n### Claims\n| claim | level | bound | limit | status | Δ |\n|---|---|---|---|---|---|\n";
  for (const ClaimRow& row : claim_rows(r)) {
    lines.add(row_text(row, r));
  }
  lines.end("lines");
  out += details_of(report);
  return out +
         "\nCheck it yourself: `assay verify CERT --model DIR --trust TRUST.json`. A level says "
         "how: "
         "PROVED for every input of the stated domain, STATISTICAL with stated confidence, "
         "OBSERVED "
         "on listed data alone.\n";
}

}  // namespace assay::report
