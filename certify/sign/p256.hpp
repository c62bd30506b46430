#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::certify {

using Secret32 = std::array<std::uint8_t, 32>;

/// ECDSA on P-256 with SHA-256 (libcrypto). A public key is its uncompressed point, 65 bytes; a private key its scalar,
/// big-endian; a signature ASN.1 DER.
namespace p256 {

/// The fixed DER before an uncompressed point in a SubjectPublicKeyInfo.
inline constexpr std::string_view kSpki(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00",
    26);
inline constexpr std::size_t kPointBytes = 65;

/// On the curve and not at infinity.
[[nodiscard]] bool is_valid_point(std::string_view point);
[[nodiscard]] Secret32 generate();
/// Nothing when the scalar is not in [1, n - 1].
[[nodiscard]] std::optional<std::string> public_point(const Secret32& scalar);
/// Draws its nonce: two signatures over the same bytes differ. Throws Error(ExitCode::internal).
[[nodiscard]] std::string sign(const Secret32& scalar, std::string_view message);
/// Strict DER, r and s in [1, n - 1].
[[nodiscard]] bool verifies(std::string_view point, std::string_view message,
                            std::string_view signature);

}  // namespace p256

/// A private key out of a PKCS#8 file.
struct Pkcs8Key {
  bool is_p256 = false;  ///< else Ed25519
  Secret32 secret{};
};
/// DER of PrivateKeyInfo or, with a passphrase, of EncryptedPrivateKeyInfo. Nothing when it does not open, or holds a
/// key of another kind or curve.
[[nodiscard]] std::optional<Pkcs8Key> open_pkcs8(std::string_view der,
                                                 const std::optional<std::string>& passphrase);
/// The same bytes back, encrypted (PBES2, PBKDF2 with 600,000 rounds of HMAC-SHA-256, AES-256-CBC) when there is a
/// passphrase. Throws Error(ExitCode::internal).
[[nodiscard]] std::string make_pkcs8(const Pkcs8Key& key,
                                     const std::optional<std::string>& passphrase);

}  // namespace assay::certify
