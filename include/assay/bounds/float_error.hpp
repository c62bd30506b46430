#pragma once

#include <cstddef>
#include <limits>
#include <string>

namespace assay::bounds {

/// What a deployment is trusted with: its exp, and its erf or tanh, within so many ulp.
struct FloatOptions {
  std::size_t exp_ulps = 2;
  std::size_t act_ulps = 2;
};

/// How far float32 may be from the real value of a quantity, over a domain.
///
///   FLOAT32-ANY-ORDER   every evaluation of Q in IEEE binary32, in any order and bracketing of its sums,
///                       fused or not, lies within `error` of Q in every context of the domain
///
/// docs/theorems.md says which evaluations are meant; `given` names what is taken as given.
struct FloatError {
  double error = std::numeric_limits<double>::infinity();
  bool any_shift =
      false;  ///< the softmax may subtract any number up to the largest |score|, 0 included
  std::string given;
  std::string reason;  ///< why there is no bound; empty when `error` is one

  [[nodiscard]] bool is_known() const { return reason.empty(); }
};

}  // namespace assay::bounds
