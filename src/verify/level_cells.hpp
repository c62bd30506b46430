#pragma once

#include <optional>
#include <string>
#include <vector>

#include "level_farkas.hpp"
#include "level_system.hpp"

namespace assay::verify {

/// A set of values at a control: those of which every row holds.
struct LevelCell {
  std::size_t control = 0;
  std::vector<Row> rows;
};

/// Words of one STEP line: the tree of every branch of one edge out of one cell, in the checker's
/// order.
struct LevelStepProof {
  std::size_t cell = 0, edge = 0;
  std::string words;
};

/// LEVEL-INV
///   every start lies in a cell      every letter on every edge leads from a cell into a cell
///   no cell stands at a bad control
///   ------------------------------------------------------------------------------------------
///   no run reaches a bad control
///
/// The proof of it, cell by cell and edge by edge, or nothing: then the cells are no invariant, or it was
/// not found.
[[nodiscard]] std::optional<std::vector<LevelStepProof>> prove_cells(
    const LevelSystem& system, const std::vector<LevelCell>& cells);

/// Of the rows proposed at each control, the largest set that every step keeps: rows that a step does
/// not show are dropped until none is. One cell a control that rows were proposed for.
[[nodiscard]] std::vector<LevelCell> keep_inductive(const LevelSystem& system,
                                                    std::vector<LevelCell> proposed);

}  // namespace assay::verify
