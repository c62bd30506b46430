#pragma once

#include "assay/automata/search.hpp"
#include "assay/verify/check.hpp"

namespace assay::verify {

/// Asks the solver about the invariant (when bad is unreachable) and, on small products, about
/// reachability itself. True when it contradicts the search.
[[nodiscard]] bool ask_solver(const automata::Product& product, const automata::SearchResult& found,
                              PropertyResult& result);

}  // namespace assay::verify
