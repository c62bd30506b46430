#include "assay/certify/envelope.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"
#include "base64.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;

std::string string_field(const json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) {
    throw InputError(where, key, "a string", it == object.end() ? "nothing" : it->type_name());
  }
  return it->get<std::string>();
}

std::string decoded(const json& object, const char* key, const std::string& where) {
  std::optional<std::string> bytes = base64_decode(string_field(object, key, where));
  if (!bytes) {
    throw InputError(where, key, "padded base64 without whitespace", "something else");
  }
  return std::move(*bytes);
}

}  // namespace

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string out = "DSSEv1 ";
  out += std::to_string(type.size());
  out += ' ';
  out += type;
  out += ' ';
  out += std::to_string(payload.size());
  out += ' ';
  out += payload;
  return out;
}

Envelope sign(std::string payload, const PrivateKey& key) {
  Envelope envelope{std::move(payload), kPayloadType, {}};
  add_signature(envelope, key);
  return envelope;
}

void add_signature(Envelope& envelope, const PrivateKey& key) {
  const PublicKey pk = key.public_key();
  if (signed_by(envelope, pk)) {
    throw UsageError("key " + pk.key_id() + " has signed this certificate already");
  }
  if (envelope.signatures.size() >= kMaxSignatures) {
    throw UsageError("a certificate has at most " + std::to_string(kMaxSignatures) + " signatures");
  }
  envelope.signatures.push_back({pk.key_id(), key.sign(pre_authentication_encoding(
                                                  envelope.payload_type, envelope.payload))});
}

std::string envelope_json(const Envelope& envelope) {
  json signatures = json::array();
  for (const Signature& signature : envelope.signatures) {
    signatures.push_back({{"keyid", signature.key_id}, {"sig", base64_encode(signature.bytes)}});
  }
  return json{{"payload", base64_encode(envelope.payload)},
              {"payloadType", envelope.payload_type},
              {"signatures", signatures}}
             .dump() +
         "\n";
}

Envelope parse_envelope(std::string_view text, const std::string& file) {
  if (text.size() > kMaxEnvelopeBytes) {
    throw InputError(file, "size", "at most " + std::to_string(kMaxEnvelopeBytes) + " bytes",
                     std::to_string(text.size()));
  }
  const json value = parse_strict_json(text, file);
  if (!value.is_object()) {
    throw InputError(file, "envelope", "an object", value.type_name());
  }
  Envelope envelope{decoded(value, "payload", file), string_field(value, "payloadType", file), {}};
  const auto list = value.find("signatures");
  if (list == value.end() || !list->is_array() || list->empty() || list->size() > kMaxSignatures) {
    throw InputError(file, "signatures", "a list of 1 to " + std::to_string(kMaxSignatures),
                     "something else");
  }
  for (const json& entry : *list) {
    if (!entry.is_object()) {
      throw InputError(file, "signatures", "objects", entry.type_name());
    }
    const std::string key_id = entry.contains("keyid") ? string_field(entry, "keyid", file) : "";
    envelope.signatures.push_back({key_id, decoded(entry, "sig", file)});
  }
  return envelope;
}

bool signed_by(const Envelope& envelope, const PublicKey& key) {
  const std::string message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  return std::any_of(envelope.signatures.begin(), envelope.signatures.end(),
                     [&](const Signature& s) { return key.verifies(message, s.bytes); });
}

}  // namespace assay::certify
