#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "assay/automata/product.hpp"

namespace assay::automata {

/// Everything that a product reaches, the property's states after each machine state as bits of one word: every edge is gone
/// through once for many pairs. Nothing when a bad pair is reached, when the property has more than 64 states, or when its
/// tables would be too large.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> reached_masks(const Product& product);

}  // namespace assay::automata
