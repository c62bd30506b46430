#pragma once

#include <cstdint>
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

/// Throws InputError when `text` is not a fraction or decimal that fits.
[[nodiscard]] Rational parse_rational(std::string_view text);

}  // namespace assay
