#pragma once

#include <string>

#include "assay/certify/envelope.hpp"

namespace assay::certify {

/// A Sigstore bundle v0.3 with a public key hint: an envelope with one signature, derived from ours. It says no
/// more than the signature does.
struct SigstoreBundle {
  std::string
      fingerprint8;  ///< first 8 hex digits of the signing key's fingerprint, or of the signature's hash
  std::string json;
};
[[nodiscard]] SigstoreBundle sigstore_bundle(const Envelope& envelope, std::size_t signature);

}  // namespace assay::certify
