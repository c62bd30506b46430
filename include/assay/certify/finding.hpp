#pragma once

#include <string>
#include <vector>

#include "assay/base/errors.hpp"

namespace assay::certify {

/// One thing that is wrong, with the exit code it stands for.
struct Finding {
  ExitCode code = ExitCode::ok;
  std::string text;
  std::string claim = {};  ///< id of the claim it is about, or empty
  bool operator==(const Finding&) const = default;
};

/// Rank in 10 > 9 > 2 > 4 > 5 > 6 > 8 > 1 > 7 > 3 > 0: of several codes the highest rank is returned.
[[nodiscard]] int precedence(ExitCode code);
/// The code of highest rank; ok when there is none.
[[nodiscard]] ExitCode worst(const std::vector<Finding>& findings);

}  // namespace assay::certify
