#pragma once

#include <string>
#include <vector>

#include "level_system.hpp"

namespace assay::verify {

struct LevelPoint {
  std::size_t control = 0;
  std::vector<Exact> values;
};

/// One letter of a run, and where it leads.
struct LevelStep {
  std::size_t edge = 0, letter = 0;  ///< letter over LevelSystem::letter_atoms
  LevelPoint after;
};

struct PointSearch {
  bool closed = false;             ///< every point that a run reaches was met
  std::vector<LevelPoint> points;  ///< in the order met; when closed they are the invariant
  std::vector<LevelStep> run;      ///< a shortest run to a bad control; empty: none met
};

/// Every reachable pair of control and exact numbers, breadth-first, up to a number of points. It stops
/// early where 200,000 numbers were computed or one grows beyond 2,000 bits.
[[nodiscard]] PointSearch search_points(const LevelSystem& system, std::size_t limit);

/// Where a letter leads. @pre the branch is one of the point's control.
[[nodiscard]] LevelPoint move_point(const LevelBranch& branch, const LevelPoint& from);

/// A run through these edges and letters, computed anew from the start; empty when the first edge does not leave a start state or
/// some branch does not exist. Ends at the first bad control.
[[nodiscard]] std::vector<LevelStep> replay_levels(
    const LevelSystem& system, const std::vector<std::pair<std::size_t, std::size_t>>& moves);

}  // namespace assay::verify
