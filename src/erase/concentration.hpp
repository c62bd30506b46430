#pragma once

#include <cmath>

namespace assay::erase {

/// CHERNOFF: the root of an upper bound on E q, q in [0, size^2], from the mean of n of them.
inline double root_of_mean(double seen, double size, double log, double n) {
  const double k = size * std::sqrt(2.0 * log / n);
  return (k + std::sqrt(k * k + 4.0 * seen)) / 2.0;
}

/// BERNSTEIN: how far a mean of n numbers, at most `size`, mean square root^2, may be above E.
inline double room(double root, double size, double log, double n) {
  return root * std::sqrt(2.0 * log / n) + size * log / (3.0 * n);
}

}  // namespace assay::erase
