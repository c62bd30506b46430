#pragma once

#include <functional>
#include <string>
#include <vector>

#include "assay/spec/spec.hpp"
#include "level_cells.hpp"
#include "level_points.hpp"

namespace assay::verify {

/// Called with the name ("init", "bad", "step-3-0": control 3, its first edge) and the SMT-LIB2 text of each
/// obligation.
using ObligationSink = std::function<void(const std::string&, const std::string&)>;

/// A point as the cell of its values.
[[nodiscard]] LevelCell cell_of(const LevelPoint& point);

/// That the cells are an invariant, for other solvers (QF_LRA): each script is unsatisfiable if and only if what it asks holds. Written from the
/// branches themselves: a set is a function, and a step calls it with the values after the move.
void write_obligations(const spec::Spec& spec, const LevelSystem& system,
                       const std::vector<LevelCell>& cells, const ObligationSink& sink);

}  // namespace assay::verify
