#pragma once

#include <cstddef>
#include <cstdint>
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

/// Streamed first and second moments of rows x [d] with labels z [k], in double: block by block,
/// each about its own mean; blocks and shards merge by the pairwise formula of Chan, Golub and
/// LeVeque.
class Moments {
 public:
  explicit Moments(std::size_t d, std::size_t k = 1);

  /// One row with one label of 0 or 1. Throws InputError for another label.
  /// @pre k = 1, x has d entries. Throws InputError when an entry is not finite.
  void add(std::span<const float> x, std::int64_t z);
  /// A block of rows: x [rows,d], z [rows,k]; best a few hundred at a time.
  /// Throws InputError when an entry is not finite.
  void add_block(std::span<const double> x, std::span<const double> z);
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
  std::size_t n_ = 0;
  std::vector<std::size_t> nonzero_;  ///< [k]
  std::vector<double> mean_, mean_z_;
  std::vector<double> sxx_;  ///< [d,d], lower triangle: sum of (x - mean)(x - mean)^T
  std::vector<double> sxz_;  ///< [d,k]: sum of (x - mean)(z - mean z)^T
  std::vector<double> szz_;  ///< [k,k]: sum of (z - mean z)(z - mean z)^T
};

}  // namespace assay::erase
