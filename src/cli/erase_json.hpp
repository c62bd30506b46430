#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "assay/erase/change.hpp"
#include "assay/erase/fold_claims.hpp"

namespace assay::cli {

/// --concept, or --regex with --name; and --shift.
struct ConceptOptions {
  std::string concept_name, regex, name;
  std::size_t shift = 0;
};
void add_concept(CLI::App* sub, ConceptOptions& options, const std::string& what);
/// None when no option is given. Throws UsageError.
[[nodiscard]] std::optional<erase::Concept> given_concept(const ConceptOptions& options);

[[nodiscard]] nlohmann::ordered_json residuals_json(const erase::SiteResiduals& residuals);
[[nodiscard]] std::string residuals_table(const erase::SiteResiduals& residuals);

[[nodiscard]] nlohmann::ordered_json change_json(const erase::LogitChange& change);
/// Lines of "    name value".
[[nodiscard]] std::string change_table(const erase::LogitChange& change);

}  // namespace assay::cli
