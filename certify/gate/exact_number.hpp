#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <string_view>

namespace assay::certify {

using ExactNumber = boost::multiprecision::cpp_rational;

/// The exact value of a number as claims write it: hex float "-0x1.8p-3", fraction "1/1000", decimal "0.25" or whole.
/// Nothing for anything else, or above 1,000 characters or exponents beyond 5,000.
[[nodiscard]] std::optional<ExactNumber> exact_number(std::string_view text);

}  // namespace assay::certify
