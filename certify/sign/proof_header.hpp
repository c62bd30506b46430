#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "assay/base/digest.hpp"

namespace assay::certify {

/// The few words of an `assay-cert 1` file that bind it to a model and tell what its concluding
/// steps conclude. The proof itself is the checker's to read.
struct ProofHeader {
  std::string kind;                          ///< of the `kind` line
  std::optional<Digest> config, weights;     ///< of the `model` line
  std::map<std::string, std::string> rules;  ///< step id -> rule, for the ids asked for
};

/// Throws InputError when the file is not a certificate at all.
[[nodiscard]] ProofHeader read_proof_header(const std::filesystem::path& file,
                                            const std::set<std::string>& ids);

}  // namespace assay::certify
