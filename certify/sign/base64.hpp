#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace assay::certify {

/// Standard alphabet; padded unless `pad` is false.
[[nodiscard]] std::string base64_encode(std::string_view bytes, bool pad = true);
/// Padded base64, standard or URL-safe alphabet, no whitespace, no trailing bits; else nothing.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace assay::certify
