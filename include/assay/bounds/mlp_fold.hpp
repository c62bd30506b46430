#pragma once

#include <vector>

#include "assay/bounds/attention.hpp"

namespace assay::bounds {

/// Pre-activation ranges of every neuron over a suffix's domain.
///
///   NEURON-RANGE   U_h ATTN-MAX for W_in[:,j], D_h ATTN-MAX for -W_in[:,j]
///                  base_j = <W_in[:,j], x_c + b_O> + b_in[j]
///                  |-  z_j in [base_j - sum_h D_h, base_j + sum_h U_h]
struct NeuronRanges {
  std::size_t heads = 0;
  std::vector<double> U;        ///< [d_mlp * n_heads]
  std::vector<double> D;        ///< [d_mlp * n_heads]
  std::vector<Interval> range;  ///< [d_mlp]
};
[[nodiscard]] NeuronRanges neuron_ranges(const Suffix& suffix);

/// What MLP-FOLD bounds: const0 + <g0, m> + sum_j kappa_j relu(z_j), m = hook_resid_mid.
struct FoldTarget {
  std::vector<Interval> kappa;  ///< [d_mlp]
  std::vector<Interval> g0;     ///< [d_model]
  Interval const0;
};

/// The proof's numbers, and the bound they give.
struct FoldProof {
  std::vector<double> slopes;       ///< a_j in [0,1], [d_mlp]
  std::vector<HeadMaximum> maxima;  ///< for G, [n_heads]
  double hi = 0;                    ///< the target is surely <= hi over the domain
};

/// MLP-FOLD
///   gap_j = max(relu(lo_j) - a_j lo_j, relu(hi_j) - a_j hi_j, 0),  G = g0 + sum_j kappa_j a_j W_in[:,j]
///   target <= const0 + sum_j kappa_j a_j b_in[j] + sum_j max(kappa_j, 0) gap_j
///             + <G, x_c + b_O> + sum_h L_h,      L_h ATTN-MAX for G
/// Slopes: 1 or 0 for a neuron of one sign, hi/(hi-lo) where kappa > 0 (optimal for every
/// maximiser), and where kappa < 0 a projected subgradient descent of `steps` steps from the
/// area rule; the best slopes met are kept. Sound for any slopes.
[[nodiscard]] FoldProof mlp_fold(const Suffix& suffix, const NeuronRanges& ranges,
                                 const FoldTarget& target, std::size_t steps);

/// The last formula alone, outward-rounded, plus room for a checker that rounds after every
/// operation. NaN when anything in it is.
[[nodiscard]] double fold_bound(const Suffix& suffix, const NeuronRanges& ranges,
                                const FoldTarget& target, const std::vector<double>& slopes,
                                const std::vector<HeadMaximum>& maxima);

/// Residual stream at the relaxed maximum: every head at its own maximiser for G, [d_model].
/// Not a context's (heads may disagree); tells which rival a mixture lacks.
[[nodiscard]] std::vector<double> relaxed_maximiser(const Suffix& suffix,
                                                    const std::vector<HeadMaximum>& maxima);

/// `hi` raised by 2^-40 of the sizes that were added, so that a checker whose enclosures are
/// wider than ours comes to the same decision.
[[nodiscard]] double with_room(double hi, double size);

}  // namespace assay::bounds
