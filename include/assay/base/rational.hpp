#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// A small exact fraction as users write it: "3/10", "0.3", "1". Denominator > 0, reduced.
struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;

  [[nodiscard]] std::string text() const;  ///< "3/10", or "3" when den == 1
  [[nodiscard]] double nearest() const {
    return static_cast<double>(num) / static_cast<double>(den);
  }
  bool operator==(const Rational&) const = default;
};

/// a − b, a + b and a / n, exactly; nothing where numerator or denominator would pass 2^53.
[[nodiscard]] std::optional<Rational> difference(const Rational& a, const Rational& b);
[[nodiscard]] std::optional<Rational> sum(const Rational& a, const Rational& b);
[[nodiscard]] std::optional<Rational> quotient(const Rational& a, std::uint32_t n);

/// Throws InputError when `text` is not a fraction or decimal that fits.
[[nodiscard]] Rational parse_rational(std::string_view text);

}  // namespace assay
