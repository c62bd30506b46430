#pragma once

#include <string>
#include <string_view>

#include "lexis.hpp"

namespace assay_check {

/// The min-p decoder that a claim about emitted tokens supposes.
struct MinP {
  Fraction min_p, temperature;
  bool temperature_first = false;  ///< order before

  /// l_u - max l strictly below this is never kept: ln rho, times T for order before.
  [[nodiscard]] Interval cut() const;
  [[nodiscard]] std::string text() const;
};

/// "P/Q" for both numbers and "before" or "after"; 0 < min-p <= 1, temperature > 0.
[[nodiscard]] MinP parse_min_p(std::string_view min_p, std::string_view temperature,
                               std::string_view order);

}  // namespace assay_check
