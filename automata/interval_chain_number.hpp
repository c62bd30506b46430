#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "assay/automata/interval_chain.hpp"

namespace assay::automata {

struct GridInterval {
  Grid lo = 0, hi = 0;
};

/// The two neighbours on the grid of "3/10", "0.3", "4.1e-4", read exactly; one point twice when it
/// is on the grid. Nothing for another word, and for numbers outside [0, 1].
[[nodiscard]] std::optional<GridInterval> grid_around(std::string_view text);

/// value / 2^40 as a decimal, exact.
[[nodiscard]] std::string exact_decimal(Grid value);

}  // namespace assay::automata
