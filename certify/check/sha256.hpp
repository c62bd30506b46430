#pragma once

#include <string>
#include <string_view>

namespace assay_check {

/// SHA-256 (FIPS 180-4) of the bytes, as 64 lowercase hex digits.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace assay_check
