#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "assay/base/errors.hpp"

namespace assay::erase {

/// Nothing is erased, and why: a value of the data, never a pass.
class Refusal : public Error {
 public:
  explicit Refusal(const std::string& reason)
      : Error(ExitCode::unknown, "erasure refused: " + reason) {}
};

/// The smallest and largest value of every column of rows; of parts, those of the whole.
struct Extent {
  std::vector<double> lo, hi;  ///< [columns]; lo > hi before the first row

  explicit Extent(std::size_t columns);
  /// Throws InputError, naming the tensor, when an entry is not finite.
  void add(std::span<const double> rows, const char* tensor);
  void merge(const Extent& other);
};

/// Column j stands for the integer nearest to (v - offset_j) 2^bits_j, at most 2^most in size where v
/// is within the extent. A function of one entry alone: nothing else of the rows is in it.
struct ColumnGrid {
  std::vector<double> offset;
  std::vector<int> bits;

  ColumnGrid(const Extent& extent, int most);
};

/// Fills `rows` with those from `first` on.
using RowReader = std::function<void(std::size_t first, std::span<double> rows)>;

/// First and second moments of rows x [d] with labels z [k]. Every entry is rounded once, to a
/// grid fixed by the columns' extent (x: 2^-22 of half the column's range for Cov(x, x), 2^-42 for
/// means and Cov(x, z); z: 2^-24), and then all sums are exact integers:
///   the same rows, in any order, in blocks and shards of any size, on any processor  =>  the same bytes
class Moments {
 public:
  /// For rows within these extents, and shards of them.
  Moments(const Extent& x, const Extent& z);
  /// Of all rows at once: x [n,d], z [n,k].
  Moments(std::size_t d, std::size_t k, std::span<const double> x, std::span<const double> z);
  ~Moments();
  Moments(Moments&&) noexcept;
  Moments& operator=(Moments&&) noexcept;
  Moments(const Moments&);

  /// A block of rows: x [rows,d], z [rows,k]; best hundreds at a time. Throws InputError when an entry
  /// is not finite or outside the extent.
  void add(std::span<const double> x, std::span<const double> z);
  /// The same, of rows that `read` gives: called for parts of them, from several threads at once.
  void add(std::size_t rows, const RowReader& read, std::span<const double> z);
  /// @pre both were made for the same extents
  void merge(const Moments& other);

  [[nodiscard]] std::size_t d() const { return mean_.size(); }
  [[nodiscard]] std::size_t labels() const { return mean_z_.size(); }
  [[nodiscard]] std::size_t n() const { return n_; }
  /// Rows with z_c not 0: of a 0/1 label those of the class.
  [[nodiscard]] std::size_t positive(std::size_t c = 0) const { return nonzero_[c]; }
  [[nodiscard]] std::span<const double> mean() const { return mean_; }
  [[nodiscard]] std::span<const double> mean_z() const { return mean_z_; }
  /// Cov(x_i, x_j) with divisor n.
  [[nodiscard]] double xx(std::size_t i, std::size_t j) const;
  /// Cov(x_i, z_c) with divisor n.
  [[nodiscard]] double xz(std::size_t i, std::size_t c = 0) const;
  /// Cov(z_a, z_b) with divisor n; p q of one label of 0 and 1.
  [[nodiscard]] double zz(std::size_t a = 0, std::size_t b = 0) const;

 private:
  friend struct MomentTensors;  // files of moments
  struct Sums;
  void update_means();

  std::size_t n_ = 0;
  std::vector<std::size_t> nonzero_;  ///< [k]
  std::vector<double> mean_, mean_z_;
  std::unique_ptr<Sums> sums_;
};

}  // namespace assay::erase
