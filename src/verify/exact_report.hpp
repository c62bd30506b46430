#pragma once

#include <string>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A replayed run in words, token by token.
[[nodiscard]] std::string violated_text(const CheckInput& subject, const ExactViolated& violated);

/// Both bounds of P(φ), and the sampled rate beside them.
[[nodiscard]] std::string chance_text(const CheckInput& subject, const ChanceBounds& chance);

}  // namespace assay::verify
