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
#include "base64.hpp"

namespace assay::certify {
namespace {

using Bytes32 = std::array<std::uint8_t, 32>;

// RFC 8410: the fixed DER around an Ed25519 public key (SPKI) and a seed (PKCS#8).
constexpr std::string_view kSpki("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view kPkcs8(
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
constexpr std::size_t kMaxPem = 16384;

Error key_error(const std::string& source, const std::string& why) {
  return {ExitCode::signature, source + ": " + why};
}

void start_sodium() {
  if (sodium_init() < 0) {
    throw Error(ExitCode::internal, "libsodium does not start");
  }
}

std::string_view view(const Bytes32& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string pem_text(const std::string& label, const std::string& der) {
  return "-----BEGIN " + label + "-----\n" + base64_encode(der) + "\n-----END " + label + "-----\n";
}

/// The 32 key bytes of a one-block PEM whose DER is `prefix` and 32 bytes.
Bytes32 parse_pem(std::string_view pem, const std::string& label, std::string_view prefix,
                  const std::string& source) {
  if (pem.find("ENCRYPTED PRIVATE KEY") != std::string_view::npos) {
    throw key_error(source, "an encrypted private key; decrypt it first (openssl pkey)");
  }
  const std::string begin = "-----BEGIN " + label + "-----";
  const std::string end = "-----END " + label + "-----";
  std::string body;
  for (const char c : pem.substr(0, kMaxPem)) {
    if (c != '\n' && c != '\r') {
      body.push_back(c);
    }
  }
  const bool framed = body.size() > begin.size() + end.size() &&
                      body.compare(0, begin.size(), begin) == 0 &&
                      body.compare(body.size() - end.size(), end.size(), end) == 0;
  if (!framed) {
    throw key_error(source, "expected one PEM block '" + label + "'");
  }
  body = body.substr(begin.size(), body.size() - begin.size() - end.size());
  const std::optional<std::string> der = base64_decode(body);
  if (!der || der->size() != prefix.size() + 32 || der->compare(0, prefix.size(), prefix) != 0) {
    throw key_error(source, "expected an Ed25519 key");
  }
  Bytes32 key{};
  std::memcpy(key.data(), der->data() + prefix.size(), key.size());
  return key;
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

PublicKey::PublicKey(const Bytes32& bytes) : bytes_(bytes) {
  start_sodium();
  // Canonical encoding, on the curve, in the prime-order subgroup, not of small order.
  if (crypto_core_ed25519_is_valid_point(bytes_.data()) != 1) {
    throw Error(ExitCode::signature,
                "public key: not a point of prime order in canonical form; refused");
  }
}

std::string PublicKey::pem() const {
  return pem_text("PUBLIC KEY", std::string(kSpki) + std::string(view(bytes_)));
}

std::string PublicKey::key_id() const {
  std::string blob("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
  blob += view(bytes_);
  const Digest digest = sha256(blob);
  return "SHA256:" + base64_encode(view(digest.bytes), false);
}

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(raw(signature), raw(message), message.size(), bytes_.data()) ==
             0;
}

PrivateKey::~PrivateKey() {
  sodium_memzero(seed_.data(), seed_.size());
}

PrivateKey PrivateKey::generate() {
  start_sodium();
  Bytes32 seed{};
  randombytes_buf(seed.data(), seed.size());
  return PrivateKey(seed);
}

std::string PrivateKey::pem() const {
  return pem_text("PRIVATE KEY", std::string(kPkcs8) + std::string(view(seed_)));
}

PublicKey PrivateKey::public_key() const {
  start_sodium();
  Bytes32 pk{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sk{};
  crypto_sign_seed_keypair(pk.data(), sk.data(), seed_.data());
  sodium_memzero(sk.data(), sk.size());
  return PublicKey(pk);
}

std::string PrivateKey::sign(std::string_view message) const {
  start_sodium();
  Bytes32 pk{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sk{};
  crypto_sign_seed_keypair(pk.data(), sk.data(), seed_.data());
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw(message),
                       message.size(), sk.data());
  sodium_memzero(sk.data(), sk.size());
  return signature;
}

PublicKey parse_public_key(std::string_view pem, const std::string& source) {
  const Bytes32 bytes = parse_pem(pem, "PUBLIC KEY", kSpki, source);
  try {
    return PublicKey(bytes);
  } catch (const Error& e) {
    throw key_error(source, e.what());
  }
}

PrivateKey parse_private_key(std::string_view pem, const std::string& source) {
  return PrivateKey(parse_pem(pem, "PRIVATE KEY", kPkcs8, source));
}

PublicKey load_public_key(const std::filesystem::path& file) {
  try {
    return parse_public_key(read_file(file, kMaxPem), file.string());
  } catch (const InputError& e) {
    throw Error(ExitCode::signature, e.what());
  }
}

PublicKey load_any_key(const std::filesystem::path& file) {
  const std::string pem = read_file(file, kMaxPem);
  return pem.find("PRIVATE KEY") != std::string::npos
             ? parse_private_key(pem, file.string()).public_key()
             : parse_public_key(pem, file.string());
}

PrivateKey load_signing_key(const std::filesystem::path& file) {
  if (!file.empty()) {
    return parse_private_key(read_file(file, kMaxPem), file.string());
  }
  if (const char* pem = std::getenv("ASSAY_SIGNING_KEY"); pem != nullptr && *pem != '\0') {
    return parse_private_key(pem, "ASSAY_SIGNING_KEY");
  }
  throw UsageError("no signing key: give a key file, or its PEM text in ASSAY_SIGNING_KEY");
}

void write_key_pair(const PrivateKey& key, const std::filesystem::path& private_file,
                    const std::filesystem::path& public_file) {
  std::error_code error;
  for (const std::filesystem::path& file : {private_file, public_file}) {
    if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
      throw UsageError(file.string() + ": exists already; a key is never overwritten");
    }
  }
  write_new(private_file, key.pem(), 0600);
  write_new(public_file, key.public_key().pem(), 0644);
}

}  // namespace assay::certify
