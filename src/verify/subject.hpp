#pragma once

#include <vector>

#include "assay/verify/check.hpp"

namespace assay::verify {

/// The files are those the resolved spec names, and its features exist. Throws
/// Error(ExitCode::artifact) or UsageError.
void check_digests(const CheckInput& input);

/// The properties that were asked for, in file order. Throws UsageError when there is none.
[[nodiscard]] std::vector<const spec::Property*> chosen(const CheckInput& input);

}  // namespace assay::verify
