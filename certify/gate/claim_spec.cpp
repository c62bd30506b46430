#include "claim_spec.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::certify {

std::optional<ClaimSpec> spec_of(const DiffSide& side, const Claim& claim) {
  if (!claim.recheck) {
    return std::nullopt;
  }
  const auto input = std::find_if(claim.recheck->inputs.begin(), claim.recheck->inputs.end(),
                                  [](const CheckInput& i) { return i.option == "spec"; });
  const std::optional<std::string> text =
      input == claim.recheck->inputs.end() ? std::nullopt : read_evidence(side, input->name);
  if (!text) {
    return std::nullopt;
  }
  try {
    ClaimSpec out{spec::parse_spec(*text, input->name), 0, ""};
    const auto property =
        std::find_if(out.spec.properties.begin(), out.spec.properties.end(),
                     [&](const spec::Property& p) { return p.name == claim.recheck->accepts; });
    if (property == out.spec.properties.end() || !out.spec.is_resolved()) {
      return std::nullopt;
    }
    out.index = static_cast<std::size_t>(property - out.spec.properties.begin());
    const Manifest manifest{side.statement.subject_files};
    const ManifestEntry* tokenizer = manifest.find("tokenizer.json");
    out.tokenizer = tokenizer == nullptr ? "" : tokenizer->sha256.hex();
    return out;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace assay::certify
