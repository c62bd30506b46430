#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace assay::erase {

__extension__ using Wide = __int128;

inline constexpr std::size_t kPanel = 48;      ///< columns of a panel
inline constexpr std::size_t kGramRows = 224;  ///< rows whose digits' products add up in 32 bits
inline constexpr std::size_t kChunkRows = 4 * kGramRows;
inline constexpr int kDigitBits = 11;
/// Largest size of an integer: digits lo in [-2^10, 2^10), hi in [-2^11, 2^11], lo + hi within 3·2^10.
inline constexpr std::int32_t kLargestGramEntry = 1 << 22;
static_assert(9 * (std::int64_t{1} << 20) * kGramRows < (std::int64_t{1} << 31));

/// Integers a = lo + 2^11 hi of up to 896 rows, column panel by column panel, in three planes of 16-bit
/// numbers: lo, hi and lo + hi. A word holds a column's numbers of rows 2i and 2i + 1:
///   [panel][block of 224 rows][plane][pair of rows][column of the panel]
class PackedRows {
 public:
  explicit PackedRows(std::size_t width)
      : columns(width), lines_(panels() * kPanelWords / kLineWords) {}
  std::size_t columns = 0, rows = 0;  ///< rows at most kChunkRows

  static constexpr std::size_t kPlaneWords = kGramRows / 2 * kPanel;
  static constexpr std::size_t kBlockWords = 3 * kPlaneWords;

  [[nodiscard]] std::size_t panels() const { return (columns + kPanel - 1) / kPanel; }
  [[nodiscard]] std::size_t blocks() const { return (rows + kGramRows - 1) / kGramRows; }
  /// Pairs of rows of a block; the second of the last may be a row of zeros.
  [[nodiscard]] std::size_t pairs(std::size_t block) const;
  [[nodiscard]] const std::uint32_t* block(std::size_t panel, std::size_t block) const;
  /// The words of plane 0 of two rows; those of planes 1 and 2 stand kPlaneWords and 2 kPlaneWords on.
  [[nodiscard]] std::uint32_t* words(std::size_t panel, std::size_t pair);

 private:
  static constexpr std::size_t kLineWords = 16;
  static constexpr std::size_t kPanelWords = kChunkRows / kGramRows * kBlockWords;
  struct alignas(64) Line {
    std::uint32_t words[kLineWords] = {};
  };
  std::vector<Line> lines_;
};

/// Sums of products of every two columns over rows of integers, exact:
///   Σ a b = Σ lo lo' + 2^11 (Σ (lo + hi)(lo' + hi') - Σ lo lo' - Σ hi hi') + 2^22 Σ hi hi'
/// each of the three sums an integer below 2^31 over a block, so the totals are the same on any processor
/// and any number of cores: of up to 2^18 rows in 64 bits, of all in 128.
class GramSums {
 public:
  explicit GramSums(std::size_t columns);

  void add(const PackedRows& rows);
  void merge(const GramSums& other);
  [[nodiscard]] Wide at(std::size_t i, std::size_t j) const;
  /// Takes `sum` for what was added up of these columns.
  void put(std::size_t i, std::size_t j, Wide sum);

 private:
  [[nodiscard]] std::size_t entry(std::size_t i, std::size_t j) const;
  void spill();

  std::size_t columns_, panels_;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> pairs_;  ///< panels p >= q, by q and then p
  std::vector<std::int64_t> recent_;  ///< [pair][column of q][column of p], of the last rows
  std::vector<Wide> tiles_;           ///< the same, of the rows before them; empty before the first
  std::size_t pending_ = 0;           ///< rows in `recent_`
};

/// Adds to sums [8][48] those over a block's pairs of rows, of columns n[0..7] with columns m[0..47].
using GramKernel = void (*)(const std::uint32_t* m, const std::uint32_t* n, std::size_t pairs,
                            std::int64_t* sums);
inline constexpr std::size_t kStrip = 8;
struct NamedKernel {
  const char* name;
  GramKernel kernel;
};
/// Those that this processor runs, fastest first; all give the same numbers.
[[nodiscard]] std::span<const NamedKernel> gram_kernels();

}  // namespace assay::erase
