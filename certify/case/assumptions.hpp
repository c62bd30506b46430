#pragma once

#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// Everything that a case's claims may take as true, in the words that its certificate lists.
[[nodiscard]] const std::vector<Assumption>& known_assumptions();

}  // namespace assay::certify
