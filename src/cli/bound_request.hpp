#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "assay/bounds/firing.hpp"
#include "assay/model/tokenizer.hpp"

namespace assay::cli {

/// One line of `assay bound --batch`.
struct BoundRequest {
  nlohmann::json id;  ///< a string or an integer, echoed
  bounds::Domain domain;
  bounds::Quantity quantity;
};

/// Throws InputError naming the field.
[[nodiscard]] BoundRequest read_bound_request(const nlohmann::json& line, const Transformer& model);

/// {"id": …, "lo": …, …}
[[nodiscard]] nlohmann::ordered_json bound_json(
    const nlohmann::json& id, const bounds::BoundResult& result,
    const std::optional<bounds::FiringVerdict>& verdict);

/// "must-off" (never above the threshold), "must-on" (always strictly above; never said of topk) or "may".
[[nodiscard]] const char* firing(const Sae& sae, std::size_t feature, double lo, double hi);

/// The token that `option` names: "#ID", or text of one token. Throws UsageError.
[[nodiscard]] std::uint32_t one_token(const std::optional<Tokenizer>& tokenizer,
                                      const std::string& text, const char* option);

}  // namespace assay::cli
