#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/certify/claim.hpp"

namespace assay::report {

/// Claims that are argued in the same way: by proof over contexts, by runs of the model, by an erasure …
struct Family {
  std::string name;                  ///< plain words, a fixed list
  std::vector<std::size_t> members;  ///< indices into the statement's claims
  std::size_t holds = 0, violated = 0, unknown = 0;
  std::size_t proofs = 0;  ///< members whose proof anybody can check again
};

/// In the order in which their first claims stand.
[[nodiscard]] std::vector<Family> families_of(const std::vector<certify::Claim>& claims);

/// "13 hold, 2 are violated, 1 is not decided"; what is 0 is left out.
[[nodiscard]] std::string counts_text(const Family& family);

}  // namespace assay::report
