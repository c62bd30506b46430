#pragma once

#include <cstdint>
#include <vector>

#include "assay/erase/residual.hpp"

namespace assay::erase {

__extension__ using Wide = __int128;

/// Exact sums over the rows, of Y about integers near its means: A and B of a residual do not
/// depend on what is subtracted, and small numbers let a product of blocks in double be exact.
struct ExactSums {
  std::vector<std::int64_t> y;       ///< sum Y [d]
  std::vector<std::int64_t> z;       ///< sum z [k]
  std::vector<std::int64_t> cross;   ///< sum Y z^T [d,k]
  std::vector<std::int64_t> labels;  ///< sum z z^T [k,k]
  std::vector<Wide> products;        ///< sum Y Y^T, lower triangle packed row by row

  explicit ExactSums(const GridRows& rows);
  [[nodiscard]] Wide gram(std::size_t i, std::size_t j) const {
    return products[i * (i + 1) / 2 + j];
  }
};

}  // namespace assay::erase
