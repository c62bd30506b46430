#pragma once

#include <string>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// Replaces the declaration of one ap or class, so that a template fits another model without an
/// edit: word "ap", declaration "Harm=feat(S/7) > 0"; word "class", declaration
/// "tool=ids {3, 5}". What is named must exist. Throws UsageError.
void redeclare(Spec& spec, const std::string& word, const std::string& declaration);

}  // namespace assay::spec
