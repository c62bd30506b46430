#include <random>

#include "assay/base/text.hpp"
#include "escape.hpp"
#include "words.hpp"

namespace assay::report {
namespace {

using certify::GateFinding;
using certify::Severity;

constexpr std::size_t kPerKind = 10;  // what is shown of each kind and step

/// "error", "warning" or "notice"; a waived error is a warning.
std::string command_of(const GateFinding& f) {
  return f.severity == Severity::note                              ? "notice"
         : f.severity == Severity::warning || !f.waived_by.empty() ? "warning"
                                                                   : "error";
}

std::string annotation(const GateFinding& f, const GateReport& report) {
  const std::string title =
      f.finding.claim.empty() ? "assay gate" : "assay gate: " + f.finding.claim;
  return "::" + command_of(f) + " file=" + workflow_property(report.certificate) +
         ",title=" + workflow_property(title) + "::" +
         workflow_message(f.finding.text +
                          (f.waived_by.empty() ? "" : " (waived: " + f.waived_by + ")")) +
         "\n";
}

}  // namespace

std::string gate_annotations(const GateReport& report) {
  std::string out;
  for (const char* kind : {"error", "warning", "notice"}) {
    std::vector<const GateFinding*> all;  // worst first already
    for (const GateFinding& f : report.result.findings) {
      if (command_of(f) == kind) {
        all.push_back(&f);
      }
    }
    const std::size_t shown = all.size() > kPerKind ? kPerKind - 1 : all.size();
    for (std::size_t i = 0; i < shown; ++i) {
      out += annotation(*all[i], report);
    }
    if (all.size() > shown) {
      out += std::string("::") + kind + " title=assay gate::+" +
             std::to_string(all.size() - shown) + " more, all of them in gate.json\n";
    }
  }
  return out;
}

std::string gate_log(const GateReport& report) {
  std::random_device device;
  std::string token = "assay";
  for (int i = 0; i < 4; ++i) {
    token += std::to_string(device());
  }
  return "::stop-commands::" + token + "\n" + gate_text(report) + "\n::" + token + "::\n" +
         gate_annotations(report);
}

}  // namespace assay::report
