#include "p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>

#include "assay/base/errors.hpp"

namespace assay::certify {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Parameters = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using PlainInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;
using SealedInfo = std::unique_ptr<X509_SIG, Freed<X509_SIG_free>>;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

[[noreturn]] void fail(const char* what) {
  throw Error(ExitCode::internal, std::string("libcrypto: ") + what);
}

/// PrivateKeyInfo around a scalar; the public point is left out and computed when it is read.
std::string private_der(const Secret32& scalar) {
  std::string der(
      "\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
      "\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20",
      35);
  der.append(reinterpret_cast<const char*>(scalar.data()), scalar.size());
  return der;
}

Key read_private(std::string_view der) {
  const unsigned char* at = raw(der);
  Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  return at == raw(der) + der.size() ? std::move(key) : nullptr;
}

Key read_public(std::string_view point) {
  if (point.size() != p256::kPointBytes || point[0] != '\x04') {
    return nullptr;
  }
  const std::string der = std::string(p256::kSpki) + std::string(point);
  const unsigned char* at = raw(der);
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  const Parameters context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(key) : nullptr;
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> name{};
  std::size_t length = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1 &&
         std::string_view(name.data(), length) == "prime256v1";
}

std::optional<Secret32> scalar_of(const EVP_PKEY* key) {
  BIGNUM* read = nullptr;
  Secret32 out{};
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &read) != 1) {
    return std::nullopt;
  }
  const Number number(read);
  const bool fits = BN_bn2binpad(read, out.data(), static_cast<int>(out.size())) == 32;
  return fits ? std::optional(out) : std::nullopt;
}

std::optional<std::string> point_of(const EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(const_cast<EVP_PKEY*>(key), &bytes);
  std::string point(reinterpret_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
  OPENSSL_free(bytes);
  return p256::is_valid_point(point) ? std::optional(point) : std::nullopt;
}

Key evp_key(const Pkcs8Key& key) {
  return key.is_p256 ? read_private(private_der(key.secret))
                     : Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                        key.secret.data(), key.secret.size()));
}

template <typename T>
std::string der_of(const T* object, int (*write)(const T*, unsigned char**)) {
  unsigned char* bytes = nullptr;
  const int size = write(object, &bytes);
  if (size <= 0) {
    fail("cannot write a private key");
  }
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  return der;
}

}  // namespace

namespace p256 {

bool is_valid_point(std::string_view point) {
  return read_public(point) != nullptr;
}

Secret32 generate() {
  const Key key(EVP_EC_gen("P-256"));
  const std::optional<Secret32> scalar = key ? scalar_of(key.get()) : std::nullopt;
  if (!scalar) {
    fail("cannot make a P-256 key");
  }
  return *scalar;
}

std::optional<std::string> public_point(const Secret32& scalar) {
  const Key key = read_private(private_der(scalar));
  const Parameters context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  if (!context || EVP_PKEY_private_check(context.get()) != 1) {
    return std::nullopt;
  }
  return point_of(key.get());
}

std::string sign(const Secret32& scalar, std::string_view message) {
  const Key key = read_private(private_der(scalar));
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!key || !context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, raw(message), message.size()) != 1) {
    fail("cannot sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     raw(message), message.size()) != 1) {
    fail("cannot sign");
  }
  signature.resize(size);
  return signature;
}

bool verifies(std::string_view point, std::string_view message, std::string_view signature) {
  const Key key = read_public(point);
  const Context context(EVP_MD_CTX_new());
  return key && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                          message.size()) == 1;
}

}  // namespace p256

std::optional<Pkcs8Key> open_pkcs8(std::string_view der,
                                   const std::optional<std::string>& passphrase) {
  const unsigned char* at = raw(der);
  const auto size = static_cast<long>(der.size());
  PlainInfo info;
  if (passphrase) {
    const SealedInfo sealed(d2i_X509_SIG(nullptr, &at, size));
    info.reset(sealed ? PKCS8_decrypt(sealed.get(), passphrase->data(),
                                      static_cast<int>(passphrase->size()))
                      : nullptr);
  } else {
    info.reset(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size));
  }
  const Key key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  if (!key || at != raw(der) + der.size()) {
    return std::nullopt;
  }
  Pkcs8Key out;
  if (is_p256(key.get())) {
    const std::optional<Secret32> scalar = scalar_of(key.get());
    return scalar ? std::optional(Pkcs8Key{true, *scalar}) : std::nullopt;
  }
  std::size_t length = out.secret.size();
  const bool ed25519 = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519 &&
                       EVP_PKEY_get_raw_private_key(key.get(), out.secret.data(), &length) == 1 &&
                       length == 32;
  return ed25519 ? std::optional(out) : std::nullopt;
}

std::string make_pkcs8(const Pkcs8Key& key, const std::optional<std::string>& passphrase) {
  constexpr int kRounds = 600'000;
  const Key evp = evp_key(key);
  const PlainInfo info(evp ? EVP_PKEY2PKCS8(evp.get()) : nullptr);
  if (!info) {
    fail("cannot write a private key");
  }
  if (!passphrase) {
    return der_of<PKCS8_PRIV_KEY_INFO>(info.get(), i2d_PKCS8_PRIV_KEY_INFO);
  }
  X509_ALGOR* method =
      PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kRounds, nullptr, 0, nullptr, NID_hmacWithSHA256);
  const SealedInfo sealed(method == nullptr ? nullptr
                                            : PKCS8_set0_pbe(passphrase->data(),
                                                             static_cast<int>(passphrase->size()),
                                                             info.get(), method));
  if (!sealed) {
    X509_ALGOR_free(method);
    fail("cannot encrypt a private key");
  }
  return der_of<X509_SIG>(sealed.get(), i2d_X509_SIG);
}

}  // namespace assay::certify
