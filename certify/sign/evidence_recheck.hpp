#pragma once

#include <filesystem>

#include "assay/certify/verify.hpp"

namespace assay::certify {

/// Every proof by the independent checker, in one run for the claims that share certificate and inputs, its statement compared
/// with the claim field by field; every rate drawn and counted again. `evidence` is the staged copy. What is wrong is added to the findings (8;
/// 3 when nothing was re-checked). @pre result.statement.
void recheck_evidence(const VerifyOptions& options, const std::filesystem::path& evidence,
                      VerifyResult& result);

}  // namespace assay::certify
