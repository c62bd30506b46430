#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace assay::erase {

__extension__ using Wide = __int128;

/// Columns of a panel, and the most rows of a block.
inline constexpr std::size_t kPanel = 24;
inline constexpr std::size_t kGramRows = 512;
/// Largest size of an integer in a block: 2^22 · 2^22 · 512 = 2^53.
inline constexpr double kLargestGramEntry = 0x1p22;

/// Integers of a block of rows, as doubles, column panel by column panel: entry (row, column) stands at
/// [column / 24][row][column % 24].
class PackedRows {
 public:
  explicit PackedRows(std::size_t width)
      : columns(width), lines_(panels() * kPanel / 8 * kGramRows) {}
  std::size_t columns = 0, rows = 0;  ///< rows at most 512

  [[nodiscard]] std::size_t panels() const { return (columns + kPanel - 1) / kPanel; }
  [[nodiscard]] double* panel(std::size_t p) { return lines_[p * kPanel / 8 * rows].values; }
  [[nodiscard]] const double* panel(std::size_t p) const {
    return lines_[p * kPanel / 8 * rows].values;
  }

 private:
  struct alignas(64) Line {
    double values[8] = {};
  };
  std::vector<Line> lines_;
};

/// Sums of products of every two columns over rows of integers, exact:
///   |entry| <= 2^22, rows of a block <= 512  =>  every partial sum is an integer of at most 2^53
/// so a block's sums are the same in whatever order and with or without fused operations, and so are
/// the totals: of up to 1000 blocks in 64 bits, of all in 128.
class GramSums {
 public:
  explicit GramSums(std::size_t columns);

  void add(const PackedRows& block);
  void merge(const GramSums& other);
  [[nodiscard]] Wide at(std::size_t i, std::size_t j) const;

 private:
  void spill();

  std::size_t columns_;
  std::vector<Wide> tiles_;           ///< [pair of panels p >= q][column of q][column of p]
  std::vector<std::int64_t> recent_;  ///< the same, of the last `pending_` blocks, at most 1000
  std::size_t pending_ = 0;
};

/// out [8][24] of sums over rows of columns n[0..7] with columns m[0..23]; both have stride 24.
using GramKernel = void (*)(const double* m, const double* n, std::size_t rows, double* out);
struct NamedKernel {
  const char* name;
  GramKernel kernel;
};
/// Those that this processor runs, fastest first; all give the same numbers.
[[nodiscard]] std::span<const NamedKernel> gram_kernels();

}  // namespace assay::erase
