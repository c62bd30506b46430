#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace assay::certify {

enum class KeyScheme { ed25519, ecdsa_p256 };
/// "ed25519", "ecdsa-p256-sha256"
[[nodiscard]] std::string scheme_name(KeyScheme scheme);

/// A public key: Ed25519, 32 bytes, or ECDSA P-256, the uncompressed point of 65 bytes. Construction refuses small-order,
/// off-subgroup and non-canonical points, and what is not on the curve.
class PublicKey {
 public:
  /// Ed25519. Throws Error(ExitCode::signature) on a key that must not be used.
  explicit PublicKey(const std::array<std::uint8_t, 32>& bytes);
  PublicKey(KeyScheme scheme, std::string bytes);

  [[nodiscard]] KeyScheme scheme() const { return scheme_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string pem() const;  ///< SPKI, RFC 8410 or RFC 5480
  /// OpenSSH fingerprint "SHA256:<base64, no pad>".
  [[nodiscard]] std::string key_id() const;
  /// Pure Ed25519 with S < L, signatures of 64 bytes; or ECDSA with SHA-256, strict DER.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;
  bool operator==(const PublicKey&) const = default;

 private:
  KeyScheme scheme_;
  std::string bytes_;
};

/// An Ed25519 seed or a P-256 scalar; wiped when it goes out of scope.
class PrivateKey {
 public:
  explicit PrivateKey(const std::array<std::uint8_t, 32>& secret,
                      KeyScheme scheme = KeyScheme::ed25519)
      : scheme_(scheme), secret_(secret) {}
  ~PrivateKey();
  PrivateKey(const PrivateKey&) = default;
  PrivateKey& operator=(const PrivateKey&) = default;

  [[nodiscard]] static PrivateKey generate(KeyScheme scheme = KeyScheme::ed25519);
  /// PKCS#8 as `openssl genpkey` writes it; with a passphrase ENCRYPTED PRIVATE KEY (PBES2).
  [[nodiscard]] std::string pem(const std::optional<std::string>& passphrase = {}) const;
  [[nodiscard]] PublicKey public_key() const;
  /// Ed25519: 64 bytes, the same each time. P-256: DER, with a drawn nonce.
  [[nodiscard]] std::string sign(std::string_view message) const;

 private:
  KeyScheme scheme_;
  std::array<std::uint8_t, 32> secret_;
};

/// Readers of what `pem()` and `openssl genpkey` write. They throw Error(ExitCode::signature) naming `source`.
[[nodiscard]] PublicKey parse_public_key(std::string_view pem, const std::string& source);
[[nodiscard]] PrivateKey parse_private_key(std::string_view pem, const std::string& source,
                                           const std::optional<std::string>& passphrase = {});

/// Text named by `where`: a file's path, `env:NAME` or `fd:N` (read to its end, once). Throws UsageError.
[[nodiscard]] std::string read_secret(const std::string& where);

[[nodiscard]] PublicKey load_public_key(const std::filesystem::path& file);
/// The public half of a public or private key; of an encrypted one with the passphrase at `passphrase` (see load_signing_key).
[[nodiscard]] PublicKey load_any_key(const std::string& where, const std::string& passphrase = {});
/// The key at `where` (`read_secret`), else the PEM text in ASSAY_SIGNING_KEY; UsageError when there is neither. An encrypted
/// key opens with the first line at `passphrase`, else with the text in ASSAY_KEY_PASSPHRASE.
[[nodiscard]] PrivateKey load_signing_key(const std::string& where,
                                          const std::string& passphrase = {});

/// Writes `private_file` (mode 0600) and `public_file`; refuses to overwrite either (UsageError).
void write_key_pair(const PrivateKey& key, const std::filesystem::path& private_file,
                    const std::filesystem::path& public_file,
                    const std::optional<std::string>& passphrase = {});

}  // namespace assay::certify
