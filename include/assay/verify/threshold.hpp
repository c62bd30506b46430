#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// Decides the input's one property under its decoder. `check_exact` is one; a refined engine that answers with the same
/// result can take its place.
using ThresholdEngine = std::function<ExactResult(const ExactInput&)>;

struct ThresholdInput {
  ExactInput exact;  ///< one property; a min-p decoder, whose min-p is set anew at every point
  Rational from{1, 100}, to{1};  ///< the ends, both tried
  Rational resolution{1, 100};   ///< of the grid from, from + resolution, …; `to` closes it
};

/// One min-p that was tried.
struct ThresholdPoint {
  Rational min_p;
  ExactResult result;  ///< of the one property

  [[nodiscard]] const ExactProperty& property() const { return result.properties.front(); }
  [[nodiscard]] bool holds() const {
    return std::holds_alternative<ExactHolds>(property().verdict);
  }
};

/// MONOTONE  ρ <= ρ'  |-  what min-p ρ' can emit, min-p ρ can emit (an allow-list does not change this)
/// so HOLDS at ρ is HOLDS at every larger min-p, and VIOLATED at ρ is VIOLATED at every smaller one. UNKNOWN says
/// nothing of its neighbours.
struct Threshold {
  std::optional<ThresholdPoint>
      below;  ///< the largest point tried that is not HOLDS, below `holds`
  std::optional<ThresholdPoint> holds;                  ///< the smallest point tried that is HOLDS
  std::vector<std::pair<Rational, std::string>> tried;  ///< min-p and verdict, in order
  bool interrupted = false;  ///< the interval is wider than the resolution

  /// Where the two ends were found: 0; a violated upper end: 1; else 3.
  [[nodiscard]] ExitCode code() const;
};

/// Bisects over the grid, both ends first. Throws UsageError for a decoder that is not min-p, a grid that is none
/// or has more than 10^6 points.
[[nodiscard]] Threshold find_threshold(const ThresholdInput& input,
                                       const ThresholdEngine& decide = check_exact);

}  // namespace assay::verify
