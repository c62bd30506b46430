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

/// Streamed first and second moments of rows x [d] with a binary label z, in double
/// (Welford's update; shards merge by the pairwise formula of Chan, Golub and LeVeque).
class Moments {
 public:
  explicit Moments(std::size_t d);

  /// @pre x has d entries. Throws InputError when z is not 0 or 1 or an entry is not finite.
  void add(std::span<const float> x, std::int64_t z);
  void merge(const Moments& other);

  [[nodiscard]] std::size_t d() const { return mean_.size(); }
  [[nodiscard]] std::size_t n() const { return n_; }
  [[nodiscard]] std::size_t positive() const { return n1_; }
  [[nodiscard]] std::span<const double> mean() const { return mean_; }
  /// Cov(x_i, x_j) with divisor n.
  [[nodiscard]] double xx(std::size_t i, std::size_t j) const;
  /// Cov(x_i, z) with divisor n.
  [[nodiscard]] double xz(std::size_t i) const;
  /// Var(z) = p q.
  [[nodiscard]] double zz() const;

 private:
  std::size_t n_ = 0;
  std::size_t n1_ = 0;
  std::vector<double> mean_;
  std::vector<double> sxx_;    ///< [d,d], lower triangle: sum of (x - mean)(x - mean)^T
  std::vector<double> sxz_;    ///< [d]: sum of (x - mean)(z - mean z)
  std::vector<double> delta_;  ///< scratch of one update
};

}  // namespace assay::erase
