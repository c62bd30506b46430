#pragma once

#include <vector>

#include "assay/bounds/mlp_fold.hpp"
#include "assay/bounds/quantity.hpp"
#include "network.hpp"

namespace assay::bounds {

/// What is bounded, as a function of m = hook_resid_mid.
struct Target {
  enum class Kind {
    folded,         ///< const0 + <g0, m> + sum_j kappa_j act(z_j)
    normed_neuron,  ///< z_neuron under LayerNorm 2
    normed_logits,  ///< final_const + <h, r> / sqrt(|P r|^2/d + eps); `fold` is <h, r>
  };
  Kind kind = Kind::folded;
  FoldTarget fold;
  std::size_t neuron = 0;
  int sign = 1;  ///< of a normed neuron
  Interval final_const;
  Interval final_size;  ///< |h|

  [[nodiscard]] bool uses_mlp() const;
};

/// @pre check_quantity passed.
[[nodiscard]] Target make_target(const Network& net, const Sae* sae, const Quantity& quantity);
/// -Q
[[nodiscard]] Target negated(Target target);

/// Q at each row m, to the nearest.
[[nodiscard]] std::vector<double> nearest_values(const Network& net, const Target& target,
                                                 const Rows& m);
/// Pre-activations at each row m, to the nearest: [n,f].
[[nodiscard]] Rows nearest_neurons(const Network& net, const Rows& m);

}  // namespace assay::bounds
