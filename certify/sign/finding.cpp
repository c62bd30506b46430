#include "assay/certify/finding.hpp"

#include <algorithm>
#include <array>

namespace assay::certify {

int precedence(ExitCode code) {
  static constexpr std::array<ExitCode, 11> kRising = {
      ExitCode::ok,       ExitCode::unknown,   ExitCode::regression, ExitCode::violated,
      ExitCode::evidence, ExitCode::expired,   ExitCode::artifact,   ExitCode::signature,
      ExitCode::usage,    ExitCode::malformed, ExitCode::internal};
  const auto at = std::find(kRising.begin(), kRising.end(), code);
  return static_cast<int>(at - kRising.begin());  // a stop by the user ranks above all
}

ExitCode worst(const std::vector<Finding>& findings) {
  ExitCode code = ExitCode::ok;
  for (const Finding& finding : findings) {
    code = precedence(finding.code) > precedence(code) ? finding.code : code;
  }
  return code;
}

}  // namespace assay::certify
