#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// C99 hexadecimal float ("0x1.8p+1"), exact, locale-independent.
[[nodiscard]] std::string hex_float(double value);
/// Inverse of hex_float; accepts only a complete finite number. Throws InputError.
[[nodiscard]] double parse_hex_float(std::string_view text);

/// Shortest decimal that reads back as the same double; for people, never for proofs.
[[nodiscard]] std::string decimal(double value);
/// `digits` places after the point.
[[nodiscard]] std::string fixed(double value, int digits);

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// A token's text made visible and harmless on one line: control characters, newline, quote
/// and backslash escaped; invalid UTF-8 shown as \xNN.
[[nodiscard]] std::string visible(std::string_view bytes);

/// An unsigned decimal number and nothing else; throws InputError naming `what`.
[[nodiscard]] std::uint64_t parse_unsigned(std::string_view text, const std::string& what);

}  // namespace assay
