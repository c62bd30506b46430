#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "assay/base/digest.hpp"

namespace assay::erase {

/// A digest of rows as a set: of the digests of the rows, in rising order. A row's digest is of its numbers
/// as float32 where that holds all of them, else as float64, little-endian:
///   the same rows in another order, number format, file or cut into files of one digest  =>  the same digest
class RowsDigest {
 public:
  /// Rows [count,d] of finite numbers.
  void add(std::span<const double> rows, std::size_t d);
  [[nodiscard]] Digest finish();

 private:
  std::vector<Digest> each_;
  std::vector<float> narrow_;
};

}  // namespace assay::erase
