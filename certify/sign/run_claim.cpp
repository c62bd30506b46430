#include "run_claim.hpp"

#include <algorithm>

namespace assay::certify {
namespace {

/// Removes " (N WORDS)" at the end, the size of the proof, which is no part of the claim.
std::string without_size(const std::string& text) {
  const std::size_t open = text.rfind(" (");
  const bool sized = open != std::string::npos && text.back() == ')' && open + 2 < text.size() &&
                     text[open + 2] >= '0' && text[open + 2] <= '9';
  return sized ? text.substr(0, open) : text;
}

}  // namespace

std::string RunClaim::domain_text() const {
  return (holds ? "every run of the model: " : "one run of the model: ") + domain;
}

bool is_run_kind(const std::string& kind) {
  return kind == "exact" || kind == "refined";
}

std::optional<RunClaim> parse_run_claim(const std::string& statement) {
  static const std::string kHolds = "HOLDS of every run of the model (real arithmetic): ";
  static const std::string kViolated = "VIOLATED by the model (real arithmetic): ";
  RunClaim claim;
  claim.holds = statement.starts_with(kHolds);
  if (!claim.holds && !statement.starts_with(kViolated)) {
    return std::nullopt;
  }
  const std::size_t begin = claim.holds ? kHolds.size() : kViolated.size();
  // Domains are made of numbers and fixed words: the first ": all " ends them.
  const std::size_t end = statement.find(": all ", begin);
  if (end == std::string::npos) {
    return std::nullopt;
  }
  claim.domain = without_size(statement.substr(begin, end - begin));
  claim.formal = statement.substr(end + 2);
  return claim;
}

}  // namespace assay::certify
