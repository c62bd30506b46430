#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// Where the evidence of every plan lies: "sampled/NAME/".
inline constexpr std::string_view kSampledFolder = "sampled/";

/// What can be seen of the claims about rates before a run is drawn: numbers that are not each other's interval, a ledger
/// that is not their sum, assumptions in other words, rates without numbers, plans without claims.
struct SampledFaults {
  std::vector<std::string> faults;
  std::map<std::string, std::vector<const Claim*>>
      plans;  ///< the claims of each, by file; of the statement
};
[[nodiscard]] SampledFaults sampled_faults(const Statement& statement);

}  // namespace assay::certify
