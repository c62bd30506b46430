#pragma once

#include <optional>
#include <string>

#include "assay/certify/diff.hpp"
#include "assay/spec/spec.hpp"

namespace assay::certify {

/// The resolved specification that a claim is about, out of the evidence.
struct ClaimSpec {
  spec::Spec spec;
  std::size_t index = 0;  ///< of the property
  std::string tokenizer;  ///< digest of the subject's tokenizer.json, or empty

  [[nodiscard]] const spec::Property& property() const { return spec.properties[index]; }
};

/// Nothing when the claim is about none, or it cannot be read.
[[nodiscard]] std::optional<ClaimSpec> spec_of(const DiffSide& side, const Claim& claim);

}  // namespace assay::certify
