#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "assay/certify/keys.hpp"

namespace assay::certify {

inline constexpr const char* kPayloadType = "application/vnd.in-toto+json";
inline constexpr std::size_t kMaxEnvelopeBytes = std::size_t{24} << 20;
inline constexpr std::size_t kMaxSignatures = 16;

struct Signature {
  std::string key_id;  ///< an unauthenticated hint
  std::string bytes;
};

/// A DSSE v1 envelope, base64 already undone.
struct Envelope {
  std::string payload;
  std::string payload_type;
  std::vector<Signature> signatures;
};

/// "DSSEv1 LEN(type) type LEN(payload) payload", lengths in bytes.
[[nodiscard]] std::string pre_authentication_encoding(std::string_view type,
                                                      std::string_view payload);

[[nodiscard]] Envelope sign(std::string payload, const PrivateKey& key);
/// Adds a second signer. Throws UsageError when that key has signed already.
void add_signature(Envelope& envelope, const PrivateKey& key);

/// One JSON object, standard padded base64, LF at the end.
[[nodiscard]] std::string envelope_json(const Envelope& envelope);
/// Strict: size cap, unique keys, base64 without whitespace, 1 to 16 signatures. Unknown
/// fields are ignored. Throws InputError.
[[nodiscard]] Envelope parse_envelope(std::string_view json, const std::string& file);

/// True when one of the signatures is this key's over exactly these bytes and type.
[[nodiscard]] bool signed_by(const Envelope& envelope, const PublicKey& key);

}  // namespace assay::certify
