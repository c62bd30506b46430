#pragma once

#include <cstdint>
#include <optional>

#include "assay/base/rational.hpp"

namespace assay {

/// a − b, a + b and a / n, exactly; nothing where numerator or denominator would pass 2^53. @pre n > 0
[[nodiscard]] std::optional<Rational> difference(const Rational& a, const Rational& b);
[[nodiscard]] std::optional<Rational> sum(const Rational& a, const Rational& b);
[[nodiscard]] std::optional<Rational> quotient(const Rational& a, std::uint32_t n);

}  // namespace assay
