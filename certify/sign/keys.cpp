#include "assay/certify/keys.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "base64.hpp"
#include "p256.hpp"

namespace assay::certify {
namespace {

// RFC 8410: the fixed DER around an Ed25519 public key.
constexpr std::string_view kSpki("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::size_t kMaxPem = 16384;
constexpr const char* kSealedLabel = "ENCRYPTED PRIVATE KEY";

Error key_error(const std::string& source, const std::string& why) {
  return {ExitCode::signature, source + ": " + why};
}

void start_sodium() {
  if (sodium_init() < 0) {
    throw Error(ExitCode::internal, "libsodium does not start");
  }
}

std::string_view view(const Secret32& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string pem_text(const std::string& label, const std::string& der) {
  const std::string body = base64_encode(der);
  std::string out = "-----BEGIN " + label + "-----\n";
  for (std::size_t at = 0; at < body.size(); at += 64) {
    out += body.substr(at, 64) + "\n";
  }
  return out + "-----END " + label + "-----\n";
}

/// The DER of a PEM text that is one block of this label.
std::string parse_pem(std::string_view pem, const std::string& label, const std::string& source) {
  const std::string begin = "-----BEGIN " + label + "-----";
  const std::string end = "-----END " + label + "-----";
  std::string body;
  for (const char c : pem.substr(0, kMaxPem)) {
    if (c != '\n' && c != '\r') {
      body.push_back(c);
    }
  }
  const bool framed =
      body.size() > begin.size() + end.size() && body.starts_with(begin) && body.ends_with(end);
  if (!framed) {
    throw key_error(source, "expected one PEM block '" + label + "'");
  }
  body = body.substr(begin.size(), body.size() - begin.size() - end.size());
  std::optional<std::string> der = base64_decode(body);
  if (!der) {
    throw key_error(source, "the PEM block is not base64");
  }
  return std::move(*der);
}

/// The blob of an SSH public key: each part with its length before it.
std::string ssh_blob(std::initializer_list<std::string_view> parts) {
  std::string blob;
  for (const std::string_view part : parts) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      blob.push_back(static_cast<char>((part.size() >> shift) & 0xFFU));
    }
    blob += part;
  }
  return blob;
}

/// All of a descriptor, at most kMaxPem bytes.
std::string read_descriptor(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() <= kMaxPem) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) {
      throw UsageError("fd:" + std::to_string(fd) + ": cannot be read: " + std::strerror(errno));
    }
    if (got == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  throw UsageError("fd:" + std::to_string(fd) + ": longer than a key");
}

std::optional<std::string> environment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::optional<std::string>(text) : std::nullopt;
}

/// The first line of what `where` names, else of ASSAY_KEY_PASSPHRASE.
std::optional<std::string> find_passphrase(const std::string& where) {
  const std::optional<std::string> text =
      where.empty() ? environment("ASSAY_KEY_PASSPHRASE") : std::optional(read_secret(where));
  return text ? std::optional(text->substr(0, text->find('\n'))) : std::nullopt;
}

/// Writes a file that must not exist yet.
void write_new(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) {
    if (errno == EEXIST) {
      throw UsageError(path.string() + ": exists already; a key is never overwritten");
    }
    throw Error(ExitCode::internal, path.string() + ": cannot create: " + std::strerror(errno));
  }
  const ssize_t put = ::write(fd, text.data(), text.size());
  const bool whole = put == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!whole) {
    ::unlink(path.c_str());
    throw Error(ExitCode::internal, path.string() + ": cannot write");
  }
}

}  // namespace

std::string scheme_name(KeyScheme scheme) {
  return scheme == KeyScheme::ed25519 ? "ed25519" : "ecdsa-p256-sha256";
}

PublicKey::PublicKey(const Secret32& bytes)
    : PublicKey(KeyScheme::ed25519, std::string(view(bytes))) {}

PublicKey::PublicKey(KeyScheme scheme, std::string bytes)
    : scheme_(scheme), bytes_(std::move(bytes)) {
  start_sodium();
  if (scheme_ == KeyScheme::ecdsa_p256) {
    if (!p256::is_valid_point(bytes_)) {
      throw Error(ExitCode::signature, "public key: not a point of P-256; refused");
    }
    return;
  }
  // Canonical encoding, on the curve, in the prime-order subgroup, not of small order.
  if (bytes_.size() != 32 || crypto_core_ed25519_is_valid_point(raw(bytes_)) != 1) {
    throw Error(ExitCode::signature,
                "public key: not a point of prime order in canonical form; refused");
  }
}

std::string PublicKey::pem() const {
  const std::string_view prefix = scheme_ == KeyScheme::ed25519 ? kSpki : p256::kSpki;
  return pem_text("PUBLIC KEY", std::string(prefix) + bytes_);
}

std::string PublicKey::key_id() const {
  const std::string blob = scheme_ == KeyScheme::ed25519
                               ? ssh_blob({"ssh-ed25519", bytes_})
                               : ssh_blob({"ecdsa-sha2-nistp256", "nistp256", bytes_});
  return "SHA256:" + base64_encode(view(sha256(blob).bytes), false);
}

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
  if (scheme_ == KeyScheme::ecdsa_p256) {
    return p256::verifies(bytes_, message, signature);
  }
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(raw(signature), raw(message), message.size(), raw(bytes_)) ==
             0;
}

PrivateKey::~PrivateKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

PrivateKey PrivateKey::generate(KeyScheme scheme) {
  start_sodium();
  Secret32 secret{};
  if (scheme == KeyScheme::ecdsa_p256) {
    secret = p256::generate();
  } else {
    randombytes_buf(secret.data(), secret.size());
  }
  return PrivateKey(secret, scheme);
}

std::string PrivateKey::pem(const std::optional<std::string>& passphrase) const {
  return pem_text(passphrase ? kSealedLabel : "PRIVATE KEY",
                  make_pkcs8({scheme_ == KeyScheme::ecdsa_p256, secret_}, passphrase));
}

PublicKey PrivateKey::public_key() const {
  start_sodium();
  if (scheme_ == KeyScheme::ecdsa_p256) {
    const std::optional<std::string> point = p256::public_point(secret_);
    if (!point) {
      throw Error(ExitCode::signature, "private key: not a scalar of P-256; refused");
    }
    return {scheme_, *point};
  }
  Secret32 pk{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sk{};
  crypto_sign_seed_keypair(pk.data(), sk.data(), secret_.data());
  sodium_memzero(sk.data(), sk.size());
  return PublicKey(pk);
}

std::string PrivateKey::sign(std::string_view message) const {
  start_sodium();
  if (scheme_ == KeyScheme::ecdsa_p256) {
    return p256::sign(secret_, message);
  }
  Secret32 pk{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sk{};
  crypto_sign_seed_keypair(pk.data(), sk.data(), secret_.data());
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw(message),
                       message.size(), sk.data());
  sodium_memzero(sk.data(), sk.size());
  return signature;
}

PublicKey parse_public_key(std::string_view pem, const std::string& source) {
  const std::string der = parse_pem(pem, "PUBLIC KEY", source);
  try {
    if (der.size() == kSpki.size() + 32 && der.starts_with(kSpki)) {
      return {KeyScheme::ed25519, der.substr(kSpki.size())};
    }
    if (der.size() == p256::kSpki.size() + p256::kPointBytes && der.starts_with(p256::kSpki)) {
      return {KeyScheme::ecdsa_p256, der.substr(p256::kSpki.size())};
    }
  } catch (const Error& e) {
    throw key_error(source, e.what());
  }
  throw key_error(source, "expected an Ed25519 key, or an uncompressed one of P-256");
}

PrivateKey parse_private_key(std::string_view pem, const std::string& source,
                             const std::optional<std::string>& passphrase) {
  const bool sealed = pem.find(kSealedLabel) != std::string_view::npos;
  if (sealed && !passphrase) {
    throw key_error(source, "an encrypted private key: give --passphrase or ASSAY_KEY_PASSPHRASE");
  }
  const std::string der = parse_pem(pem, sealed ? kSealedLabel : "PRIVATE KEY", source);
  const std::optional<Pkcs8Key> key =
      open_pkcs8(der, sealed ? passphrase : std::optional<std::string>());
  if (!key) {
    throw key_error(source, sealed ? "does not open with this passphrase as an Ed25519 or P-256 key"
                                   : "expected an Ed25519 or P-256 key, PKCS#8");
  }
  return PrivateKey(key->secret, key->is_p256 ? KeyScheme::ecdsa_p256 : KeyScheme::ed25519);
}

std::string read_secret(const std::string& where) {
  if (where.starts_with("env:")) {
    const std::optional<std::string> text = environment(where.c_str() + 4);
    if (!text) {
      throw UsageError(where + ": no such variable, or an empty one");
    }
    return *text;
  }
  if (where.starts_with("fd:")) {
    return read_descriptor(static_cast<int>(parse_unsigned(where.substr(3), "fd")));
  }
  return read_file(where, kMaxPem);
}

PublicKey load_public_key(const std::filesystem::path& file) {
  try {
    return parse_public_key(read_file(file, kMaxPem), file.string());
  } catch (const InputError& e) {
    throw Error(ExitCode::signature, e.what());
  }
}

PublicKey load_any_key(const std::string& where, const std::string& passphrase) {
  const std::string pem = read_secret(where);
  return pem.find("PRIVATE KEY") != std::string::npos
             ? parse_private_key(pem, where, find_passphrase(passphrase)).public_key()
             : parse_public_key(pem, where);
}

PrivateKey load_signing_key(const std::string& where, const std::string& passphrase) {
  if (!where.empty()) {
    return parse_private_key(read_secret(where), where, find_passphrase(passphrase));
  }
  if (const std::optional<std::string> pem = environment("ASSAY_SIGNING_KEY")) {
    return parse_private_key(*pem, "ASSAY_SIGNING_KEY", find_passphrase(passphrase));
  }
  throw UsageError("no signing key: give a key file, or its PEM text in ASSAY_SIGNING_KEY");
}

void write_key_pair(const PrivateKey& key, const std::filesystem::path& private_file,
                    const std::filesystem::path& public_file,
                    const std::optional<std::string>& passphrase) {
  std::error_code error;
  for (const std::filesystem::path& file : {private_file, public_file}) {
    if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
      throw UsageError(file.string() + ": exists already; a key is never overwritten");
    }
  }
  write_new(private_file, key.pem(passphrase), 0600);
  write_new(public_file, key.public_key().pem(), 0644);
}

}  // namespace assay::certify
