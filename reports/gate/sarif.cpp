#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "escape.hpp"
#include "words.hpp"

namespace assay::report {
namespace {

using certify::GateFinding;
using certify::Severity;
using certify::Status;
using nlohmann::json;

constexpr std::size_t kMaxResults = 25000;  // what an upload may have

/// Kind and level of SARIF; every kind but fail has level none.
struct Grade {
  const char *kind, *level;
};

class Sarif {
 public:
  Sarif(const GateReport& report, bool full) : report_(report), full_(full) {}

  std::string take() {
    for (const GateFinding* f : other_findings(report_.result)) {
      add_other(*f);
    }
    for (const ClaimRow& row : claim_rows(report_.result)) {
      add_claim(row);
    }
    const json run = {
        {"tool", {{"driver", {{"name", "assay"}, {"version", ASSAY_VERSION}, {"rules", rules_}}}}},
        {"automationDetails", {{"id", "assay-gate/"}}},
        {"results", results_},
        {"properties", properties()}};
    const json out = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", json::array({run})}};
    return out.dump(1, ' ', true, json::error_handler_t::replace) + "\n";
  }

 private:
  [[nodiscard]] json properties() const {
    json out = {{"headline", clean(gate_headline(report_))},
                {"exitCode", static_cast<int>(report_.result.code)},
                {"enforced", !report_.soft},
                {"policySha256", report_.policy.digest.hex()},
                {"leftOut", left_out_}};
    if (!full_) {
      out["holds"] = holds_;
    }
    return out;
  }

  std::size_t rule(const std::string& id, const std::string& text) {
    rules_.push_back({{"id", id}, {"shortDescription", {{"text", text}}}});
    return rules_.size() - 1;
  }

  /// The line of a specification, or the certificate.
  [[nodiscard]] json location(const ClaimRow* row) const {
    std::string file = report_.certificate;
    std::uint64_t line = 1;
    json out;
    if (row != nullptr && row->gate != nullptr) {
      const certify::Claim& claim = *row->gate->claim;
      out["logicalLocations"] = json::array({{{"name", clean(claim.id)}, {"kind", "member"}}});
      if (const std::size_t colon = claim.spec_ref.rfind(':');
          colon != std::string::npos && colon + 1 < claim.spec_ref.size()) {
        try {
          line =
              std::max<std::uint64_t>(parse_unsigned(claim.spec_ref.substr(colon + 1), "line"), 1);
          file = "evidence/" + claim.spec_ref.substr(0, colon);
        } catch (const Error&) {  // a reference of another form: the certificate
        }
      }
    }
    out["physicalLocation"] = {{"artifactLocation", {{"uri", uri_path(file)}}},
                               {"region", {{"startLine", line}}}};
    return out;
  }

  [[nodiscard]] json fingerprints(const std::string& id) const {
    const std::string uri = report_.result.verified.statement
                                ? report_.result.verified.statement->certificate.resource_uri
                                : report_.policy.resource_uri;
    const std::string digest = sha256(uri + std::string(1, '\0') + id).hex();
    return {{"primaryLocationLineHash", digest.substr(0, 16) + ":1"}, {"nncert/v1", digest}};
  }

  void add(json result) {
    if (results_.size() >= kMaxResults) {
      ++left_out_;
    } else {
      results_.push_back(std::move(result));
    }
  }

  void add_other(const GateFinding& f) {
    if (f.severity != Severity::error && !full_) {
      return;
    }
    const std::string id = "gate/exit-" + std::to_string(static_cast<int>(f.finding.code));
    const bool error = f.severity == Severity::error;
    add({{"ruleId", id},
         {"ruleIndex", rule(id, "A finding about certificate, policy or baseline")},
         {"kind", error ? "fail" : "review"},
         {"level", error ? "error" : "none"},
         {"message", {{"text", clean(f.finding.text)}}},
         {"locations", json::array({location(nullptr)})},
         {"partialFingerprints", fingerprints(id + f.finding.text)}});
  }

  [[nodiscard]] Grade grade(const ClaimRow& row) const {
    switch (row.outcome) {
      case ClaimOutcome::pass:
        return {"pass", "none"};
      case ClaimOutcome::unknown:
        return full_ ? Grade{"open", "none"} : Grade{"fail", "warning"};
      default:
        return {"fail", "error"};
    }
  }

  void add_claim(const ClaimRow& row) {
    if (row.outcome == ClaimOutcome::pass && !full_) {
      holds_.push_back(clean(row.id));
      return;
    }
    const Grade g = grade(row);
    const std::string text = row.gate == nullptr ? "not in the certificate" : row.gate->claim->text;
    std::string message = clean(text);
    json suppressions = json::array();
    for (const GateFinding* f : row.findings) {
      message += "\n" + clean(f->finding.text);
      if (!f->waived_by.empty()) {
        suppressions.push_back({{"kind", "external"}, {"justification", clean(f->waived_by)}});
      }
    }
    json result = {{"ruleId", clean(row.id)},
                   {"ruleIndex", rule(clean(row.id), clean(text))},
                   {"kind", g.kind},
                   {"level", g.level},
                   {"message", {{"text", message}}},
                   {"locations", json::array({location(&row)})},
                   {"partialFingerprints", fingerprints(row.id)}};
    if (row.outcome == ClaimOutcome::waived) {
      result["suppressions"] = suppressions;
    }
    if (report_.result.compared) {
      result["baselineState"] = baseline_state(row);
    }
    add(std::move(result));
  }

  static const char* baseline_state(const ClaimRow& row) {
    if (row.gate == nullptr) {
      return "absent";
    }
    for (const certify::Change& change : row.gate->changes) {
      if (change.kind != certify::ChangeKind::same) {
        return change.kind == certify::ChangeKind::added ? "new" : "updated";
      }
    }
    return "unchanged";
  }

  const GateReport& report_;
  bool full_;
  json rules_ = json::array();
  json results_ = json::array();
  json holds_ = json::array();
  std::size_t left_out_ = 0;
};

}  // namespace

std::string gate_sarif(const GateReport& report, bool full) {
  return Sarif(report, full).take();
}

}  // namespace assay::report
