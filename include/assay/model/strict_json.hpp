#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace assay {

/// Deepest nesting that `parse_strict_json` follows unless told otherwise.
inline constexpr std::size_t kMaxJsonDepth = 64;

/// One JSON value and nothing else: valid UTF-8 without byte order mark or NUL, unique keys,
/// nesting <= `max_depth`, numbers within double range, exact end. An integer that fits
/// neither int64 nor uint64 is kept as a float, so that whoever wants an integer refuses it.
/// `file` only names the source in messages. Throws InputError.
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text, const std::string& file,
                                               std::size_t max_depth = kMaxJsonDepth);

}  // namespace assay
