#include "assay/certify/sigstore.hpp"

#include <nlohmann/json.hpp>

#include "assay/base/digest.hpp"
#include "base64.hpp"

namespace assay::certify {

SigstoreBundle sigstore_bundle(const Envelope& envelope, std::size_t signature) {
  const Signature& one = envelope.signatures.at(signature);
  const nlohmann::json bundle = {
      {"mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json"},
      {"verificationMaterial",
       {{"publicKey", {{"hint", one.key_id}}}, {"tlogEntries", nlohmann::json::array()}}},
      {"dsseEnvelope",
       {{"payload", base64_encode(envelope.payload)},
        {"payloadType", envelope.payload_type},
        {"signatures",
         nlohmann::json::array({{{"keyid", one.key_id}, {"sig", base64_encode(one.bytes)}}})}}}};
  const std::string prefix = "SHA256:";
  const std::optional<std::string> fingerprint =
      one.key_id.starts_with(prefix) ? base64_decode(one.key_id.substr(prefix.size()) + "=")
                                     : std::nullopt;
  const std::string id =
      fingerprint && fingerprint->size() == 32 ? hex_encode(*fingerprint) : sha256(one.bytes).hex();
  return {id.substr(0, 8), bundle.dump() + "\n"};
}

}  // namespace assay::certify
