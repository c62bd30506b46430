#pragma once

#include <functional>
#include <span>
#include <vector>

#include "assay/erase/moments.hpp"
#include "gram.hpp"

namespace assay::erase {

inline constexpr int kCoarseBits = 22, kFineBits = 20, kLabelBits = 24;

/// Everything Moments adds up, in integers: of x on the coarse grid (products) and on the fine one (sums,
/// products with labels), of z on its own. A chunk's rows are shared among the cores; what a core adds up
/// in double stays below 2^53 and exact, so that who adds what cannot be seen in the totals.
struct Moments::Sums {
  ColumnGrid grid, label_grid;
  std::vector<double> coarse_scale, fine_scale, label_scale;
  GramSums products;         ///< of coarse integers
  std::vector<Wide> coarse;  ///< [d]
  std::vector<Wide> fine;    ///< [d]
  std::vector<Wide> cross;   ///< [k,d] of fine integers with labels
  std::vector<Wide> z, zz;   ///< [k], [k,k]

  Sums(const Extent& x, const Extent& labels_extent);

  [[nodiscard]] std::size_t d() const { return coarse.size(); }
  [[nodiscard]] std::size_t k() const { return z.size(); }

  /// At most kChunkRows rows; `read` as in Moments::add.
  void add(std::size_t rows, const RowReader& read, std::span<const double> values);
  void merge(const Sums& other);

 private:
  /// A label of a chunk: where it has two values u <= v, the rows with v are marked.
  struct ChunkLabel {
    double u = 0, v = 0;
    bool two_values = true;
  };
  /// What one core adds up of a chunk.
  struct Part {
    std::vector<double> rows;          ///< as read
    std::vector<double> integers;      ///< [d], fine, of one row
    std::vector<double> coarse, fine;  ///< [d]
    std::vector<double> marked;        ///< [k,d] of fine integers of marked rows
    std::vector<double> upper,
        lower;                ///< [k,d] of parts of fine integers times a label of many values
    std::vector<Wide> cross;  ///< [k,d] of those of finished groups
    bool outside = false;
  };

  void round_labels(std::span<const double> values);
  void sum_labels(std::size_t rows);
  void add_group(Part& part, const RowReader& read, std::size_t first, std::size_t count);
  void pack(Part& part, const double* even, const double* odd, std::size_t pair);
  void add_row(Part& part, const double* row, std::size_t r);
  void finish_group(Part& part);
  void collect(Part& part);

  PackedRows packed_;
  std::vector<double> labels_;  ///< integers of a chunk
  std::vector<ChunkLabel> chunk_;
  std::vector<Part> parts_;
};

}  // namespace assay::erase
