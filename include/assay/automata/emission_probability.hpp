#pragma once

#include <span>
#include <vector>

#include "assay/automata/emission.hpp"
#include "assay/automata/interval_chain.hpp"

namespace assay::automata {

/// The probability that a token is emitted next, rounded outward to the grid.
struct Chance {
  Grid lo = 0, hi = 0;
};

/// How a decoder spreads probability over the tokens that it keeps: w_t = e^{l_t/T}, renormalised.
///
///   KEEP-CHANCE   S the set that is kept, sure ⊆ S ⊆ sure ∪ open, t ∈ S
///                 |-  w_t / (w_t + Σ_{y ∈ sure ∪ open, y ≠ t} w_y) <= p(t) <= w_t / (w_t + Σ_{y ∈ sure, y ≠ t} w_y)
///
/// with the ends of w that make each side wide; an open token may also have probability 0. Greedy
/// emits the only largest token surely; of tokens that may be largest each has any probability.
class EmissionChances {
 public:
  /// Throws UsageError for a decoder that may keep nothing.
  explicit EmissionChances(const Emission& decoder);

  /// @param kinds what the decoder may do with each token, absent tokens get [0, 0].
  void read(std::span<const double> lo, std::span<const double> hi, std::span<const Edge> kinds,
            std::vector<Chance>& out) const;

 private:
  bool greedy_ = false;
  Interval temperature_{1.0};
};

}  // namespace assay::automata
