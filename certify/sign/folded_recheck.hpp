#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// What looking at a folded model again gave.
struct FoldedRecheck {
  std::vector<std::string> faults;  ///< of the evidence (exit 8)
  std::vector<std::string> steps;   ///< what was done
};

/// Of a certificate about a model with an eraser folded in: the eraser is folded again into the base model of the evidence, and
/// the bytes compared with the subject's; so are dictionaries and readouts; the cross-entropies are computed again; every
/// word of these claims is made anew; the claims about the base model are the subject's, word for word; and the table
/// before/after is made again from them. A certificate that says anything of a base model without it is at fault.
/// Never throws on bad evidence.
[[nodiscard]] FoldedRecheck recheck_folded(const Statement& statement,
                                           const std::filesystem::path& evidence,
                                           const std::filesystem::path& model);

}  // namespace assay::certify
