#include "rows_digest.hpp"

#include <algorithm>
#include <string_view>

#include "assay/base/sha256.hpp"

namespace assay::erase {
namespace {

template <class Number>
std::string_view bytes_of(std::span<const Number> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

void RowsDigest::add(std::span<const double> rows, std::size_t d) {
  narrow_.resize(d);
  for (std::size_t at = 0; at < rows.size(); at += d) {
    const std::span<const double> row = rows.subspan(at, d);
    bool exact = true;
    for (std::size_t j = 0; j < d; ++j) {
      narrow_[j] = static_cast<float>(row[j]);
      exact &= static_cast<double>(narrow_[j]) == row[j];
    }
    Sha256 hash;
    hash.update(exact ? bytes_of(std::span<const float>(narrow_)) : bytes_of(row));
    each_.push_back(hash.finish());
  }
}

Digest RowsDigest::finish() {
  std::sort(each_.begin(), each_.end());
  Sha256 hash;
  for (const Digest& digest : each_) {
    hash.update(digest.hex());
  }
  return hash.finish();
}

}  // namespace assay::erase
