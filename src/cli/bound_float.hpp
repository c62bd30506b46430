#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "assay/bounds/bound.hpp"

namespace assay::cli {

/// Adds float32_error, float32_lo, float32_hi (null without a bound, then float32_reason) and what they
/// take as given: the proved REAL interval widened by the error.
void add_float32(nlohmann::ordered_json& object, const bounds::BoundResult& real,
                 const bounds::FloatError& error);

/// The lines of the table below the REAL interval.
[[nodiscard]] std::string float32_lines(const bounds::BoundResult& real,
                                        const bounds::FloatError& error);

}  // namespace assay::cli
