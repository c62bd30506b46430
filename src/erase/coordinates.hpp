#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "assay/erase/leace.hpp"
#include "assay/model/tensor.hpp"

namespace assay::erase {

/// Coordinates of the residual stream in which an eraser x' = r(x) is a deletion (fold.hpp): kept
/// entries stay in place, the entries J follow from them, x'_J = M mu - M_-J x'_-J, and R (x - mu) may
/// be hidden in slots of its own.
class Coordinates {
 public:
  /// Pivots J by full pivoting of R, so that the entries of M = R_J^-1 R are small.
  explicit Coordinates(const Eraser& eraser);

  [[nodiscard]] const std::vector<std::size_t>& pivots() const { return pivots_; }

  /// What a reader of x needs: the slots J hold x's own entries (`own`) or nothing that is to be read;
  /// hidden slots from this one on hold R (x - mu) and are read back, or absent.
  struct Reads {
    bool own = false;
    std::optional<std::vector<std::size_t>> hidden;
    bool constant = true;  ///< the stream itself; false for a summand of it
  };
  /// W [d,n] -> [width,n]; bias [n] gains what is constant.
  [[nodiscard]] Tensor read(const Tensor& w, std::size_t width, const Reads& reads,
                            std::vector<double>& bias) const;

  /// One reader in double; `bias` gains what is constant.
  [[nodiscard]] std::vector<double> read_doubles(const std::vector<double>& w, std::size_t width,
                                                 const Reads& reads, double& bias) const;

  /// A summand of the erased stream, x -> x - L R x (about mu if `constant`), R x at the hidden slots.
  [[nodiscard]] Tensor write_erased(const Tensor& w, std::size_t width,
                                    const std::optional<std::vector<std::size_t>>& hidden,
                                    bool constant) const;
  /// A summand that is added behind the eraser: M x at J; the stream itself there is M x - M mu.
  [[nodiscard]] Tensor write_behind(const Tensor& w, std::size_t width, bool constant) const;

 private:
  std::size_t d_, r_;
  std::vector<std::size_t> pivots_;
  std::vector<bool> is_pivot_;
  std::vector<double> left_, right_, mu_;  ///< L [d,r], R [r,d]
  std::vector<double> m_, offset_;         ///< M [r,d], M mu [r]
};

/// Rows of w [n,d] times (I - L R)^T, about mu if `constant`.
[[nodiscard]] Tensor project_rows(const Eraser& eraser, const Tensor& w, bool constant);
/// (I - L R)^T w for w [d,n]; `bias` [n] gains (L R mu)^T w.
[[nodiscard]] Tensor project_columns(const Eraser& eraser, const Tensor& w,
                                     std::vector<double>& bias);

}  // namespace assay::erase
