#pragma once

#include <string>
#include <vector>

#include "max_of_k_tables.hpp"

namespace assay::bench {

__extension__ using Wide = unsigned __int128;  // 64^20 fits

[[nodiscard]] std::string decimal(Wide n);
[[nodiscard]] Wide power(Wide base, std::size_t exponent);

/// Inputs whose tokens at the free positions are at most m, m among them unless `has_max`, and
/// whose sum start + Sum_p a_p g(u_p) is below -room, counted on a grid:
///
///   GRID   n_p(u) >= a_p g(u) / step, Sum_p n_p(u_p) <= T, T step < -room - start
///            |-  start + Sum_p a_p g(u_p) < -room
///
/// The count is exact for the sums rounded up to the grid, so a lower bound for the real ones.
/// `bins`: grid steps between 0 and the largest sum, to within a factor of two.
struct FreeTokens {
  std::vector<double> a;  ///< of the free positions
  std::vector<double> g;  ///< of the tokens 0 … m
  bool has_max = false;
  double start = 0, room = 0;
};
[[nodiscard]] Wide count_below(const FreeTokens& free, std::size_t bins, Cost& cost);

}  // namespace assay::bench
