#pragma once

#include "assay/model/activation.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

/// act(x), enclosed, at one number. gelu_erf: x Phi(x) from the series
/// Phi(x) = 1/2 + phi(x) sum_k x^(2k+1) / (1 3 5 … (2k+1)); gelu_tanh from the rigorous exp.
[[nodiscard]] Interval activation(ActFn act, double x);

/// act over a whole interval.
[[nodiscard]] Interval activation(ActFn act, Interval z);

/// {act(z) - slope z : z in range}, enclosed.
///   relu: the ends and the kink
///   gelu: ends and grid points of 2^-8 in [-8, 8], and 2^-19 for what lies between them
///         (|act''| <= 0.85; docs/theorems.md, FOLD)
[[nodiscard]] Interval residual_range(ActFn act, Interval range, double slope);

/// act(x) as mid ± radius, cheaply: exact for relu, between two grid points for gelu (2^-19).
struct Approximation {
  double mid = 0, radius = 0;
};
[[nodiscard]] Approximation approximate_activation(ActFn act, double x);

/// act to the nearest, for the search of slopes.
[[nodiscard]] inline double nearest_activation(ActFn act, double x) {
  return activate(act, x);
}

}  // namespace assay::bounds
