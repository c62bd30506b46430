#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/verify/levels.hpp"
#include "level_cells.hpp"

namespace assay::verify {

/// Edges and letters of a run that Z3 names; `why` when it names none.
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> moves_by_solver(
    const LevelSystem& system, const LevelEffort& effort, std::string& why);
/// Cells that Spacer names.
[[nodiscard]] std::vector<LevelCell> cells_by_solver(const LevelSystem& system,
                                                     const LevelEffort& effort, std::string& why);

}  // namespace assay::verify
