#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::cli {

/// Tables for people from erasure.json, feature.json or claims.json of an eraser. Throws nlohmann's exception on another form.
void add_erasure_figures(const nlohmann::json& object, std::vector<certify::Table>& out);
/// From attack.json.
[[nodiscard]] certify::Table attack_table(const nlohmann::json& object);

}  // namespace assay::cli
