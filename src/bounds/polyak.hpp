#pragma once

#include <algorithm>
#include <vector>

namespace assay::bounds {

/// A convex function's subgradient descent with Polyak's step towards a target between the best value met and `least`,
/// a number known to be at or below the minimum. `value(x, gradient)`; `project(x)` keeps x in its domain.
/// Gives the best point met: never worse than the start.
template <class Value, class Project>
[[nodiscard]] std::vector<double> polyak(std::vector<double> x, double least, std::size_t steps,
                                         const Value& value, const Project& project) {
  std::vector<double> gradient;
  std::vector<double> best = x;
  double best_value = value(x, gradient);
  const double first_gap = best_value - least;
  double aim = first_gap / 2;  // how far below the best value the target lies
  int failures = 0;
  double now = best_value;
  for (std::size_t step = 0; step < steps; ++step) {
    double square = 0;
    for (const double g : gradient) {
      square += g * g;
    }
    if (!(square > 0) || !(best_value - least > 1e-9 * (1 + first_gap)) ||
        !(aim > 1e-6 * first_gap)) {
      break;
    }
    const double rate = (now - std::max(least, best_value - aim)) / square;
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] -= rate * gradient[i];
    }
    project(x);
    now = value(x, gradient);
    if (now < best_value - aim / 4) {
      failures = 0;
    } else if (++failures >= 4) {
      failures = 0;
      aim /= 2;
    }
    if (now < best_value) {
      best_value = now;
      best = x;
    }
  }
  return best;
}

}  // namespace assay::bounds
