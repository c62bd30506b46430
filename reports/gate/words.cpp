#include "words.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::report {
namespace {

using certify::GateClaim;
using certify::GateFinding;
using certify::GateResult;
using certify::Severity;
using certify::Status;

ClaimOutcome outcome_of(const GateClaim* gate, const std::vector<const GateFinding*>& findings) {
  bool waived = false;
  bool fails = false;
  bool unknown = false;
  for (const GateFinding* f : findings) {
    const bool error = f->severity == Severity::error;
    waived = waived || (error && !f->waived_by.empty());
    if (error && f->waived_by.empty()) {
      unknown = unknown || f->finding.code == ExitCode::unknown;
      fails = fails || f->finding.code != ExitCode::unknown;
    }
  }
  if (fails || unknown) {
    return fails ? ClaimOutcome::fail : ClaimOutcome::unknown;
  }
  if (waived) {
    return ClaimOutcome::waived;
  }
  // Nothing is asked of it, so that it blocks nothing; its own status is said all the same.
  const Status status = gate == nullptr ? Status::unknown : gate->claim->status;
  return status == Status::holds      ? ClaimOutcome::pass
         : status == Status::violated ? ClaimOutcome::fail
                                      : ClaimOutcome::unknown;
}

}  // namespace

std::vector<ClaimRow> claim_rows(const GateResult& result) {
  std::vector<ClaimRow> rows;
  for (const GateClaim& gate : result.claims) {
    rows.push_back({&gate, gate.claim->id, ClaimOutcome::pass, {}});
  }
  for (const std::string& id : result.missing) {
    rows.push_back({nullptr, id, ClaimOutcome::pass, {}});
  }
  for (ClaimRow& row : rows) {
    for (const GateFinding& f : result.findings) {
      if (f.finding.claim == row.id) {
        row.findings.push_back(&f);
      }
    }
    row.outcome = outcome_of(row.gate, row.findings);
  }
  const auto rank = [](const ClaimRow& row) {
    return row.outcome == ClaimOutcome::fail      ? 0
           : row.outcome == ClaimOutcome::unknown ? 1
           : row.outcome == ClaimOutcome::waived  ? 2
                                                  : 3;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const ClaimRow& a, const ClaimRow& b) { return rank(a) < rank(b); });
  return rows;
}

std::vector<const GateFinding*> other_findings(const GateResult& result) {
  const auto known = [&](const std::string& id) {
    return std::any_of(result.claims.begin(), result.claims.end(),
                       [&](const GateClaim& c) { return c.claim->id == id; }) ||
           std::find(result.missing.begin(), result.missing.end(), id) != result.missing.end();
  };
  std::vector<const GateFinding*> out;
  for (const GateFinding& f : result.findings) {
    if (f.finding.claim.empty() || !known(f.finding.claim)) {
      out.push_back(&f);
    }
  }
  return out;
}

std::string outcome_word(ClaimOutcome outcome) {
  static constexpr const char* kWords[] = {"pass", "fail", "unknown", "waived"};
  return kWords[static_cast<int>(outcome)];
}

std::string readable(const std::string& number) {
  try {
    if (number.starts_with("0x") || number.starts_with("-0x")) {
      return "≈ " + decimal(parse_hex_float(number));
    }
    const std::size_t slash = number.find('/');
    if (slash != std::string::npos && number.size() > 9) {
      const auto above = static_cast<double>(parse_unsigned(number.substr(0, slash), "number"));
      const auto below = static_cast<double>(parse_unsigned(number.substr(slash + 1), "number"));
      return "≈ " + decimal(above / below);
    }
  } catch (const Error&) {  // shown as it is
  }
  return number;
}

std::string delta_text(const GateResult& result, const GateClaim& claim) {
  if (!result.compared) {
    return {};
  }
  std::string out;
  for (const certify::Change& change : claim.changes) {
    const bool plain = change.kind == certify::ChangeKind::same ||
                       change.kind == certify::ChangeKind::added ||
                       change.kind == certify::ChangeKind::reworded;
    out += (out.empty() ? "" : ", ") + certify::change_name(change.kind) +
           (plain ? "" : " " + change.aspect);
  }
  return out;
}

std::string counts_text(const GateResult& result) {
  if (!result.verified.statement) {
    return "no claim was read";
  }
  const certify::Verdict v = certify::verdict_of(result.verified.statement->claims);
  return std::to_string(v.violated) + " violated · " + std::to_string(v.proved) + " proved · " +
         std::to_string(v.statistical) + " statistical · " + std::to_string(v.observed) +
         " observed · " + std::to_string(v.unknown) + " unknown";
}

std::string gate_headline(const GateReport& report) {
  const GateResult& r = report.result;
  std::string out = r.code == ExitCode::ok ? "GATE PASSED (0)" : "GATE FAILED (";
  out += r.code == ExitCode::ok ? "" : std::to_string(static_cast<int>(r.code)) + ")";
  out += report.soft && r.code != ExitCode::ok ? " NOT ENFORCED" : "";
  out += ": " + std::to_string(r.meeting()) + " of " + std::to_string(r.required()) +
         " required claims met · " + counts_text(r);
  if (!r.verified.payload_sha256.empty()) {
    out += " — cert " + r.verified.payload_sha256.substr(0, 8);
  }
  if (r.verified.statement) {
    const std::string& until = r.verified.statement->certificate.not_after;
    out += until.empty() ? ", no expiry" : ", expires " + until.substr(0, 10);
  }
  return out;
}

std::string gate_text(const GateReport& report) {
  const GateResult& r = report.result;
  std::string out = gate_headline(report) + "\n";
  if (r.verified.statement) {
    const certify::CertificateInfo& info = r.verified.statement->certificate;
    out += "certificate  " + visible(info.name) + ", serial " + visible(info.serial) + ", " +
           visible(info.resource_uri) + "\nsigned by    " +
           (r.verified.signer().empty() ? "nobody who is trusted" : r.verified.signer()) +
           "\npolicy       " + visible(report.policy.source) + " sha256 " +
           report.policy.digest.hex() + "\n";
  }
  for (const ClaimRow& row : claim_rows(r)) {
    if (row.gate != nullptr && (row.gate->required || row.outcome != ClaimOutcome::pass)) {
      const certify::Claim& c = *row.gate->claim;
      out += outcome_word(row.outcome) + "  " + visible(row.id) + "  " +
             certify::status_name(c.status) +
             (c.status == Status::unknown ? "" : " " + certify::level_name(c.level)) +
             (row.gate->required ? "" : "  (not required)") + "\n";
    }
  }
  for (const GateFinding& f : r.findings) {
    const bool error = f.severity == Severity::error;
    out += (!error                ? (f.severity == Severity::note ? "note" : "warn")
            : f.waived_by.empty() ? "FAIL"
                                  : "waived") +
           std::string("  ") + (f.finding.claim.empty() ? "" : visible(f.finding.claim) + ": ") +
           visible(f.finding.text) + (f.waived_by.empty() ? "" : " — waived: " + f.waived_by) +
           (error ? "  [" + std::to_string(static_cast<int>(f.finding.code)) + "]" : "") + "\n";
  }
  out.pop_back();
  return out;
}

}  // namespace assay::report
