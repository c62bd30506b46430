#pragma once

#include <string>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// The claim of that id, or null.
[[nodiscard]] const Claim* find_claim(const std::vector<Claim>& claims, const std::string& id);
/// Formulas are the same when they are without spaces.
[[nodiscard]] std::string without_spaces(std::string text);
/// "holds (PROVED)", "UNKNOWN"; "not asked" of null.
[[nodiscard]] std::string verdict_words(const Claim* claim);

}  // namespace assay::certify
