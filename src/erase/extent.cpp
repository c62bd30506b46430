#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/erase/moments.hpp"

namespace assay::erase {

Extent::Extent(std::size_t columns)
    : lo(columns, std::numeric_limits<double>::infinity()),
      hi(columns, -std::numeric_limits<double>::infinity()) {}

void Extent::add(std::span<const double> rows, const char* tensor) {
  const std::size_t columns = lo.size();
  require(columns > 0 && rows.size() % columns == 0, "Extent::add: shapes disagree");
  bool finite = true;
  for (std::size_t at = 0; at < rows.size(); at += columns) {
    const double* row = rows.data() + at;
    for (std::size_t j = 0; j < columns; ++j) {
      lo[j] = row[j] < lo[j] ? row[j] : lo[j];
      hi[j] = row[j] > hi[j] ? row[j] : hi[j];
      finite &= std::fabs(row[j]) <= std::numeric_limits<double>::max();
    }
  }
  if (!finite) {
    throw InputError("rows", tensor, "finite numbers", "NaN or an infinity");
  }
}

void Extent::merge(const Extent& other) {
  require(other.lo.size() == lo.size(), "Extent::merge: another width");
  for (std::size_t j = 0; j < lo.size(); ++j) {
    lo[j] = std::min(lo[j], other.lo[j]);
    hi[j] = std::max(hi[j], other.hi[j]);
  }
}

ColumnGrid::ColumnGrid(const Extent& extent, int most) {
  for (std::size_t j = 0; j < extent.lo.size(); ++j) {
    const bool empty = extent.lo[j] > extent.hi[j];
    const double half = empty ? 0.0 : extent.hi[j] / 2 - extent.lo[j] / 2;
    int exponent = 0;
    std::frexp(half, &exponent);  // half < 2^exponent
    offset.push_back(empty ? 0.0 : extent.lo[j] + half);
    bits.push_back(std::min(most - exponent, 900));
  }
}

}  // namespace assay::erase
