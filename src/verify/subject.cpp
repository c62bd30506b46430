#include "subject.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::verify {

void check_digests(const CheckInput& input) {
  for (const spec::Use& use : input.spec->uses) {
    Digest found = input.model->weights_digest;
    if (use.kind == "sae") {
      const auto sae = input.saes.find(use.name);
      if (sae == input.saes.end()) {
        throw UsageError("use sae " + use.name + ": expected its directory, found none");
      }
      found = sae->second->weights_digest;
    } else if (use.kind == "readout") {
      const auto readout = input.readouts.find(use.name);
      if (readout == input.readouts.end()) {
        throw UsageError("use readout " + use.name + ": expected its file, found none");
      }
      found = readout->second->digest;
    }
    if (!use.sha256 || *use.sha256 != found) {
      throw Error(ExitCode::artifact,
                  "use " + use.kind + " " + use.name + ": expected sha256 " +
                      (use.sha256 ? use.sha256->hex() : "in the resolved spec") + ", found " +
                      found.hex());
    }
  }
  for (const spec::Atom& atom : input.spec->atoms) {
    if (atom.kind == spec::Atom::Kind::feature &&
        atom.feature->at() >= input.saes.at(atom.subject)->d_sae) {
      throw UsageError("ap " + atom.name + ": expected a feature of " + atom.subject + " below " +
                       std::to_string(input.saes.at(atom.subject)->d_sae) + ", found " +
                       std::to_string(atom.feature->at()));
    }
  }
}

std::vector<const spec::Property*> chosen(const CheckInput& input) {
  const std::vector<spec::Property>& all = input.spec->properties;
  for (const std::string& wanted : input.properties) {
    if (std::none_of(all.begin(), all.end(), [&](const auto& p) { return p.name == wanted; })) {
      throw UsageError("--prop " + wanted +
                       ": expected a property of the spec, found none of that name");
    }
  }
  std::vector<const spec::Property*> out;
  for (const spec::Property& property : all) {
    const auto& names = input.properties;
    if (names.empty() || std::find(names.begin(), names.end(), property.name) != names.end()) {
      out.push_back(&property);
    }
  }
  if (out.empty()) {
    throw UsageError("spec '" + input.spec->name + "': expected at least one property, found none");
  }
  return out;
}

}  // namespace assay::verify
