#pragma once

#include <optional>
#include <vector>

#include "assay/spec/spec.hpp"
#include "level_farkas.hpp"
#include "level_system.hpp"

namespace assay::verify {

struct LevelBox {
  bool met = false;                          ///< some step may lead here
  std::vector<std::optional<Exact>> lo, hi;  ///< [levels]; none: unbounded
};

/// Intervals of the levels at each control: a fixed point of the steps' images, joined, and after a few
/// rounds widened to the next threshold (first values, min, max, comparisons, fixed points of updates).
[[nodiscard]] std::vector<LevelBox> level_boxes(const spec::Spec& spec, const LevelSystem& system);

/// The comparisons of the spec that are about these levels alone, as rows over them.
[[nodiscard]] std::vector<Row> level_comparisons(const spec::Spec& spec, const LevelSystem& system);

/// The box's bounds, as rows.
[[nodiscard]] std::vector<Row> box_rows(const LevelBox& box);

}  // namespace assay::verify
