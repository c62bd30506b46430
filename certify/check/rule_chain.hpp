#pragma once

#include <map>
#include <string>
#include <vector>

#include "rule_chain_file.hpp"

namespace assay_check {

/// Kind chain: the file's chain and the numbers that VALUES and RANKS lines carry, by step.
class ChainFacts {
 public:
  explicit ChainFacts(GivenChain chain) : given(std::move(chain)) {}

  GivenChain given;
  std::map<std::string, std::vector<Units>, std::less<>> values;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> ranks;
};

}  // namespace assay_check
