#pragma once

#include <string>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A replayed run in words, token by token.
[[nodiscard]] std::string violated_text(const CheckInput& subject, const ExactViolated& violated);

}  // namespace assay::verify
