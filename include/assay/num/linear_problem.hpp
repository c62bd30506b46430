#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace assay {

/// Minimise <cost, x> subject to rows. Plain numbers: whoever poses it takes no answer on trust.
struct LinearProblem {
  /// sum of coefficient times variable >= least
  struct AtLeast {
    std::vector<std::pair<std::size_t, double>> terms;
    double least = 0;
  };
  std::vector<double> cost;  ///< one a variable
  std::vector<AtLeast> rows;

  [[nodiscard]] std::size_t terms() const {
    std::size_t n = 0;
    for (const AtLeast& row : rows) {
      n += row.terms.size();
    }
    return n;
  }
};

/// A minimiser, rounded; nullopt: none found within the solver's limits.
using LinearSolver = std::function<std::optional<std::vector<double>>(const LinearProblem&)>;

}  // namespace assay
