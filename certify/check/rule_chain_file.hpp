#pragma once

#include <map>
#include <string>
#include <vector>

#include "rule_chain_rows.hpp"

namespace assay_check {

/// A chain as a DRN file gives it, every number rounded outward to 2^-40.
struct GivenChain {
  ChanceRows rows;
  std::map<std::string, std::vector<bool>> labels;  ///< by name, [states]
};

/// Throws Reject("chain", …) with file and line.
[[nodiscard]] GivenChain parse_chain(const std::string& text, const std::string& file);

}  // namespace assay_check
