#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "assay/erase/change.hpp"

namespace assay::cli {

[[nodiscard]] nlohmann::ordered_json change_json(const erase::LogitChange& change);
/// Lines of "    name value".
[[nodiscard]] std::string change_table(const erase::LogitChange& change);

}  // namespace assay::cli
