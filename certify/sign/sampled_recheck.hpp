#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// What looking at the STATISTICAL claims again gave.
struct SampledRecheck {
  std::vector<std::string> faults;  ///< of the evidence (exit 8)
  std::vector<std::string> steps;   ///< what was done
  std::size_t recounted = 0;        ///< claims whose numbers came out the same
};

/// Every claim with statistics: the interval is recomputed from n, k and alpha; the plan is the one named by digest, about
/// these weights, this spec and these prompts; its ledger is not overdrawn and all properties of the spec are claimed;
/// the runs are drawn again from the seed, and counted again. A run may differ from the one drawn here only behind a near tie,
/// and then counts neither way. Counterexamples, ledger and assumptions are made anew, and no plan is without claims. Never
/// throws on bad evidence.
[[nodiscard]] SampledRecheck recheck_sampled(const Statement& statement,
                                             const std::filesystem::path& evidence,
                                             const std::filesystem::path& model);

}  // namespace assay::certify
