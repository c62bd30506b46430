#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay {

/// A SHA-256 value (FIPS 180-4), computed by libsodium.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  [[nodiscard]] std::string hex() const;  ///< 64 lowercase hex digits
  auto operator<=>(const Digest&) const = default;
};

[[nodiscard]] Digest sha256(std::string_view bytes);
/// Streams the file. Throws InputError when it cannot be read.
[[nodiscard]] Digest sha256_file(const std::filesystem::path& path);
/// Parses 64 lowercase hex digits; throws InputError otherwise.
[[nodiscard]] Digest parse_digest(std::string_view hex);

[[nodiscard]] std::string hex_encode(std::string_view bytes);

}  // namespace assay
