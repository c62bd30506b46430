#include "exact_sums.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <cstdlib>

namespace assay::erase {
namespace {

constexpr std::size_t kMostRows = 2048;  ///< of a block

std::vector<std::int64_t> centres(const GridRows& rows) {
  std::vector<std::int64_t> sums(rows.d, 0);
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    sums[i % rows.d] += rows.y[i];
  }
  for (std::int64_t& s : sums) {
    s /= static_cast<std::int64_t>(std::max<std::size_t>(rows.n(), 1));
  }
  return sums;
}

/// Rows of a block whose sums of products stay below 2^53: integers there are exact in double,
/// in whatever order they are added, fused or not.
std::size_t rows_of_a_block(const GridRows& rows, const std::vector<std::int64_t>& centre) {
  std::uint64_t largest = 1;
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    largest =
        std::max(largest, static_cast<std::uint64_t>(std::llabs(rows.y[i] - centre[i % rows.d])));
  }
  const auto bits = static_cast<int>(std::bit_width(largest));  // |Y - centre| < 2^bits <= 2^25
  return std::min(kMostRows, std::size_t{1} << static_cast<unsigned>(53 - 2 * bits));
}

}  // namespace

ExactSums::ExactSums(const GridRows& rows)
    : y(rows.d, 0),
      z(rows.labels, 0),
      cross(rows.d * rows.labels, 0),
      labels(rows.labels * rows.labels, 0),
      products(rows.d * (rows.d + 1) / 2, 0) {
  const std::vector<std::int64_t> centre = centres(rows);
  const std::size_t step = rows_of_a_block(rows, centre);
  const auto d = static_cast<Eigen::Index>(rows.d);
  Eigen::MatrixXd sum(d, d);
  for (std::size_t begin = 0; begin < rows.n(); begin += step) {
    const std::size_t end = std::min(begin + step, rows.n());
    Eigen::MatrixXd block(d, static_cast<Eigen::Index>(end - begin));
    for (std::size_t r = begin; r < end; ++r) {
      const std::uint8_t* label = rows.z.data() + r * rows.labels;
      for (std::size_t i = 0; i < rows.d; ++i) {
        const std::int64_t value = rows.y[r * rows.d + i] - centre[i];
        block(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(r - begin)) =
            static_cast<double>(value);
        y[i] += value;
        for (std::size_t c = 0; c < rows.labels; ++c) {
          cross[i * rows.labels + c] += label[c] != 0 ? value : 0;
        }
      }
      for (std::size_t c = 0; c < rows.labels; ++c) {
        z[c] += label[c];
        for (std::size_t e = 0; e < rows.labels; ++e) {
          labels[c * rows.labels + e] += label[c] * label[e];
        }
      }
    }
    sum.setZero();
    sum.selfadjointView<Eigen::Lower>().rankUpdate(block);
    std::size_t at = 0;
    for (Eigen::Index i = 0; i < d; ++i) {
      for (Eigen::Index j = 0; j <= i; ++j) {
        products[at++] += static_cast<Wide>(sum(i, j));
      }
    }
  }
}

}  // namespace assay::erase
