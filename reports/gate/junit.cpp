#include "escape.hpp"
#include "words.hpp"

namespace assay::report {
namespace {

using certify::GateFinding;
using certify::Severity;
using certify::Status;

struct Suite {
  std::string cases;
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;

  void add(const std::string& group, const std::string& name, const std::string& body) {
    ++tests;
    cases += "  <testcase classname=\"" + xml(group) + "\" name=\"" + xml(name) + "\" time=\"0\"";
    cases += body.empty() ? "/>\n" : ">" + body + "</testcase>\n";
  }
};

std::string element(const char* name, const std::string& type, const std::string& message) {
  return std::string("<") + name + (type.empty() ? "" : " type=\"" + xml(type) + "\"") +
         " message=\"" + xml(message) + "\"/>";
}

std::string messages(const std::vector<const GateFinding*>& findings, bool waived) {
  std::string out;
  for (const GateFinding* f : findings) {
    if (f->severity != Severity::note && f->waived_by.empty() != waived) {
      out += (out.empty() ? "" : "\n") + f->finding.text +
             (waived ? " (waived: " + f->waived_by + ")" : "");
    }
  }
  return out;
}

bool is_blocking(const ClaimRow& row) {
  for (const GateFinding* f : row.findings) {
    if (f->severity == Severity::error && f->waived_by.empty()) {
      return true;
    }
  }
  return false;
}

std::string claim_body(const ClaimRow& row, Suite& suite) {
  const std::string status =
      row.gate == nullptr ? "missing" : certify::status_name(row.gate->claim->status);
  if (row.outcome == ClaimOutcome::pass) {
    return {};
  }
  if (!is_blocking(row)) {  // waived, or nothing is asked of it
    ++suite.skipped;
    const bool waived = row.outcome == ClaimOutcome::waived;
    return element("skipped", "", status + ": " + messages(row.findings, waived));
  }
  const bool failure = row.outcome == ClaimOutcome::fail;
  ++(failure ? suite.failures : suite.errors);
  return element(failure ? "failure" : "error", status, messages(row.findings, false));
}

}  // namespace

std::string gate_junit(const GateReport& report) {
  const certify::GateResult& r = report.result;
  const std::string group =
      r.verified.statement ? r.verified.statement->certificate.resource_uri : report.certificate;
  Suite suite;
  std::vector<const GateFinding*> wrong;
  for (const GateFinding* f : other_findings(r)) {
    if (f->severity == Severity::error) {
      wrong.push_back(f);
    }
  }
  suite.failures += wrong.empty() ? 0U : 1U;
  suite.add(group, "certificate and policy",
            wrong.empty()
                ? ""
                : element("failure", std::to_string(static_cast<int>(wrong.front()->finding.code)),
                          messages(wrong, false)));
  for (const ClaimRow& row : claim_rows(r)) {
    const std::string body = claim_body(row, suite);
    suite.add(group, row.id, body);
  }
  const std::string counts = " tests=\"" + std::to_string(suite.tests) + "\" failures=\"" +
                             std::to_string(suite.failures) + "\" errors=\"" +
                             std::to_string(suite.errors) + "\" skipped=\"" +
                             std::to_string(suite.skipped) + "\" time=\"0\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" +
         xml(gate_headline(report)) + "\"" + counts + ">\n <testsuite name=\"assay gate\"" +
         counts + ">\n" + suite.cases + " </testsuite>\n</testsuites>\n";
}

}  // namespace assay::report
