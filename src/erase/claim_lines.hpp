#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/erase/leace.hpp"
#include "assay/erase/ledger.hpp"
#include "assay/erase/population.hpp"
#include "assay/erase/region.hpp"
#include "assay/erase/residual.hpp"
#include "assay/erase/tables.hpp"

namespace assay::erase {

/// One claim: its line of the request, its step of the certificate, and what claims.json says of it.
struct ClaimLines {
  std::string request, step;
  nlohmann::ordered_json json;
};

/// ADVANTAGE, `data` = "data SHA[ labels SHA]" as a request names the rows, of every loss that fits the labels, through the covariance (norm, ridge) and through the
/// bound of the residual claim `residual_id` (spread, free).
[[nodiscard]] std::vector<ClaimLines> advantage_claims(const GridRows& rows, int grid_bits,
                                                       const Residual& residual,
                                                       const std::string& residual_id,
                                                       const std::string& data);

/// CHANGE and OPERATOR: what the eraser moves, on these rows and at all.
[[nodiscard]] std::vector<ClaimLines> cost_claims(const Eraser& eraser, const ActivationTable& x,
                                                  const GridRows& rows, const std::string& data);
/// DIVERGENCE: what it does to predictions that are read from the rows.
[[nodiscard]] ClaimLines divergence_claim(const Eraser& eraser, const ActivationTable& x,
                                          const GridRows& rows, const Unembedding& unembedding,
                                          const std::string& data);
/// WORST of every readout: the most it can say of any input of the region.
[[nodiscard]] std::vector<ClaimLines> worst_claims(const Eraser& eraser,
                                                   const RegisteredProbes& readouts,
                                                   const Region& region);

/// INTERFACE of one label: what one exposed symbol tells. @pre every symbol < symbols
[[nodiscard]] ClaimLines interface_claim(const Population& population, const GridRows& rows,
                                         std::size_t label, const std::vector<std::int64_t>& symbol,
                                         std::size_t symbols, const Rational& each,
                                         const std::string& data);
/// PROBE of one registered probe and label.
[[nodiscard]] ClaimLines probe_claim(const Population& population, const GridRows& rows,
                                     int grid_bits, std::size_t label,
                                     const RegisteredProbes& probes, std::size_t index,
                                     const Rational& each, const std::string& data);

/// How alpha is shared out before anything is seen: the number of claims that population_claims tries.
[[nodiscard]] std::size_t planned_claims(const GridRows& rows);
/// TWO-HALVES and LEAKAGE of every label, linear and, where it is not too wide, of products, and MMD and
/// MMD-LEAKAGE, each at `each`; a leakage that shows nothing is left out. With noise, what bounds from above
/// is about the true label. @pre noise only of one label
[[nodiscard]] std::vector<ClaimLines> population_claims(const Population& population,
                                                        const GridRows& rows, const Rational& each,
                                                        const std::string& data,
                                                        const std::optional<Rational>& noise);

}  // namespace assay::erase
