#pragma once

#include <memory>
#include <vector>

#include "branch.hpp"
#include "climb.hpp"

namespace assay::bounds {

/// Contexts of a domain that some text holds, where the local search of an attack may start.
struct TextStarts {
  std::vector<Context> contexts;  ///< `value` is not set
  Rows mid;                       ///< hook_resid_mid of each, nearest: [n,d]
};

/// Every position of a document whose tokens lie in the domain's sets, with as many tokens before it
/// as the domain and the document allow; of too many, evenly spread ones.
[[nodiscard]] TextStarts text_starts(DomainWork& work,
                                     const std::vector<std::vector<TokenId>>& documents);

/// The best few for the target, each after its own coordinate ascent, best first.
[[nodiscard]] std::vector<Context> climb_from_text(DomainWork& work, const Target& target,
                                                   const Coordinate& coordinate,
                                                   const TextStarts& starts);

}  // namespace assay::bounds
