#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay::certify {

/// An Ed25519 public key. Construction refuses small-order, off-subgroup and non-canonical points.
class PublicKey {
 public:
  /// Throws Error(ExitCode::signature) on a key that must not be used.
  explicit PublicKey(const std::array<std::uint8_t, 32>& bytes);

  [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }
  [[nodiscard]] std::string pem() const;  ///< SPKI, RFC 8410
  /// OpenSSH fingerprint "SHA256:<base64, no pad>".
  [[nodiscard]] std::string key_id() const;
  /// Pure Ed25519 with S < L. `signature` of any other length than 64 bytes is not valid.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;

 private:
  std::array<std::uint8_t, 32> bytes_;
};

/// An Ed25519 seed; wiped when it goes out of scope.
class PrivateKey {
 public:
  explicit PrivateKey(const std::array<std::uint8_t, 32>& seed) : seed_(seed) {}
  ~PrivateKey();
  PrivateKey(const PrivateKey&) = default;
  PrivateKey& operator=(const PrivateKey&) = default;

  [[nodiscard]] static PrivateKey generate();
  [[nodiscard]] std::string pem() const;  ///< PKCS#8, unencrypted, RFC 8410
  [[nodiscard]] PublicKey public_key() const;
  [[nodiscard]] std::string sign(std::string_view message) const;  ///< 64 bytes

 private:
  std::array<std::uint8_t, 32> seed_;
};

/// Readers of exactly what `pem()` writes, and of what `openssl genpkey` writes. They throw
/// Error(ExitCode::signature) naming `source`; an encrypted key is named as such.
[[nodiscard]] PublicKey parse_public_key(std::string_view pem, const std::string& source);
[[nodiscard]] PrivateKey parse_private_key(std::string_view pem, const std::string& source);

[[nodiscard]] PublicKey load_public_key(const std::filesystem::path& file);
/// The public half of a public or private key file.
[[nodiscard]] PublicKey load_any_key(const std::filesystem::path& file);
/// `file` if given, else the PEM text in ASSAY_SIGNING_KEY. UsageError when there is neither.
[[nodiscard]] PrivateKey load_signing_key(const std::filesystem::path& file);

/// Writes `private_file` (mode 0600) and `public_file`; refuses to overwrite either (UsageError).
void write_key_pair(const PrivateKey& key, const std::filesystem::path& private_file,
                    const std::filesystem::path& public_file);

}  // namespace assay::certify
