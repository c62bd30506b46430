#pragma once

#include <cstdint>

#include "../src/bounds/network.hpp"

namespace assay::bench {

/// Work of a proof: every multiplication, addition, subtraction or fused pair of them counts one.
struct Cost {
  std::uint64_t multiply_adds = 0, comparisons = 0, exponentials = 0;
};

/// What one attention-only head does to K tokens' last logits, position and token apart:
///
///   MEAN   Sum_p a(q,p) b(q,u_p) (l_r - l_m)
///            = Sum_p a(q,p) b(q,u_p) (V(u_p,r) - V(u_p,m) + P(p,r) - P(p,m) + D(q,r) - D(q,m))
///
/// for the query token q and any outputs r, m; all a, b > 0. The mean of D over q and of P over p
/// is moved into V, so that the largest of V(u,.) already says most about the largest of the sum.
/// Entries are doubles near the exact reals, a and b up to a positive factor a query and to a small
/// relative error: a sum formed from them in at most 8 K operations, largest values taken, is proved
/// negative when it comes out below -room times the largest b(q,u) that can stand in it.
struct Tables {
  /// Throws InputError unless the model is one head of attention alone, without biases.
  Tables(const bounds::Network& net, std::size_t K);

  std::size_t v = 0, K = 0;
  bounds::Rows a;  ///< [v, K], at most 1
  bounds::Rows b;  ///< [v, v], at most 1
  bounds::Rows V;  ///< [v, v]
  bounds::Rows P;  ///< [K, v]
  bounds::Rows D;  ///< [v, v]
  double room = 0;
  Cost cost;
};

}  // namespace assay::bench
