#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/erase/ledger.hpp"
#include "assay/erase/population.hpp"
#include "assay/erase/residual.hpp"

namespace assay::erase {

/// One claim: its line of the request, its step of the certificate, and what claims.json says of it.
struct ClaimLines {
  std::string request, step;
  nlohmann::ordered_json json;
};

/// The rows as a request names them: "data SHA[ labels SHA]".
/// ADVANTAGE of every loss that fits the labels, through the covariance (norm, ridge) and through the
/// bound of the residual claim `residual_id` (spread, free).
[[nodiscard]] std::vector<ClaimLines> advantage_claims(const GridRows& rows, int grid_bits,
                                                       const Residual& residual,
                                                       const std::string& residual_id,
                                                       const std::string& data);

/// How alpha is shared out before anything is seen: the number of claims that population_claims tries.
[[nodiscard]] std::size_t planned_claims(const GridRows& rows);
/// TWO-HALVES and LEAKAGE of every label, linear and, where it is not too wide, of products, each at
/// `each`; a LEAKAGE that shows nothing is left out.
[[nodiscard]] std::vector<ClaimLines> population_claims(const Population& population,
                                                        const GridRows& rows, const Rational& each,
                                                        const std::string& data);

}  // namespace assay::erase
