#include <nlohmann/json.hpp>

#include "escape.hpp"
#include "words.hpp"

namespace assay::report {
namespace {

struct Badge {
  std::string message, color;  ///< color: blue, red or lightgrey
  bool is_error = false;
};

/// Counts and an expiry, never a bare word: grey when out of date or not shown, red when something is wrong.
Badge badge_of(const GateReport& report) {
  const certify::GateResult& r = report.result;
  if (r.code != ExitCode::ok) {
    const bool grey = r.code == ExitCode::expired || r.code == ExitCode::unknown;
    const std::string what = r.code == ExitCode::expired   ? "out of date or revoked"
                             : r.code == ExitCode::unknown ? "not shown"
                                                           : "gate failed";
    return {what + " (" + std::to_string(static_cast<int>(r.code)) + ")",
            grey ? "lightgrey" : "red", true};
  }
  const certify::Verdict v = certify::verdict_of(r.verified.statement->claims);
  std::string message = std::to_string(v.proved) + " proved · " + std::to_string(v.statistical) +
                        " stat · " + std::to_string(v.observed) + " observed";
  if (v.violated + v.unknown > 0) {
    message += " · " + std::to_string(v.violated) + " violated · " + std::to_string(v.unknown) +
               " unknown";
  }
  const std::string& until = r.verified.statement->certificate.not_after;
  return {message + (until.empty() ? "" : " · exp " + until.substr(0, 7)), "blue", false};
}

}  // namespace

std::string gate_badge_json(const GateReport& report) {
  const Badge badge = badge_of(report);
  nlohmann::json out = {{"schemaVersion", 1},
                        {"label", "assay"},
                        {"message", badge.message},
                        {"color", badge.color},
                        {"cacheSeconds", 3600}};
  if (badge.is_error) {
    out["isError"] = true;
  }
  return out.dump() + "\n";
}

std::string gate_badge_svg(const GateReport& report) {
  const Badge badge = badge_of(report);
  const std::string fill = badge.color == "blue"  ? "#0b5cad"
                           : badge.color == "red" ? "#b3261e"
                                                  : "#5f6368";
  const std::size_t left = 44;
  const std::size_t right = 7 * letters(badge.message).size() + 12;
  const std::string width = std::to_string(left + right);
  const auto rectangle = [&](std::size_t x, std::size_t w, const std::string& color) {
    return "<rect x=\"" + std::to_string(x) + "\" width=\"" + std::to_string(w) +
           "\" height=\"20\" fill=\"" + color + "\"/>";
  };
  const auto text = [&](std::size_t x, const std::string& words) {
    return "<text x=\"" + std::to_string(x) + "\" y=\"14\">" + xml(words) + "</text>";
  };
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width +
         "\" height=\"20\" role=\"img\" aria-labelledby=\"t\"><title id=\"t\">assay: " +
         xml(badge.message) + "</title><g>" + rectangle(0, left, "#3c4043") +
         rectangle(left, right, fill) +
         "</g><g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">" +
         text(6, "assay") + text(left + 6, badge.message) + "</g></svg>\n";
}

}  // namespace assay::report
