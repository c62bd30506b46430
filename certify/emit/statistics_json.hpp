#pragma once

#include "assay/certify/statistics.hpp"
#include "json_profile.hpp"

namespace assay::certify {

/// "statistics" of a claim, and back. Throws InputError.
[[nodiscard]] nlohmann::json statistics_json(const Statistics& statistics);
[[nodiscard]] Statistics read_statistics(const ObjectReader& o);

}  // namespace assay::certify
