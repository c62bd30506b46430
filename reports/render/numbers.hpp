#pragma once

#include <optional>
#include <string>

namespace assay::report {

/// Value of a hex float, fraction or decimal, for drawing only; nothing for other text.
[[nodiscard]] std::optional<double> drawing_value(const std::string& text);

enum class Towards { down, nearest, up };

/// Four significant digits, rounded so that a shown upper bound, read as a double, is never below the one meant
/// (`up`) and a shown lower bound never above (`down`). Text that is no number, or short
/// already, stays as it is.
[[nodiscard]] std::string short_number(const std::string& text, Towards direction);
[[nodiscard]] std::string short_number(double value, Towards direction);

}  // namespace assay::report
