#pragma once

#include <optional>
#include <string>
#include <vector>

#include "definite.hpp"
#include "erasure_claim.hpp"
#include "numbers.hpp"
#include "session.hpp"

namespace assay_check {

/// An affine eraser r(x) = x − L R (x − μ) and the grid that its outputs are rounded to.
struct Eraser {
  std::string hook;
  std::vector<std::string> fitted;       ///< digests of the files it says it was fitted on
  std::vector<std::string> fitted_rows;  ///< and of their rows
  std::size_t d = 0, r = 0;
  int grid_bits = 0;
  std::vector<double> left, right, bias;
};
[[nodiscard]] Eraser read_eraser(const Session& session, const Step& step);

/// The rows that a claim of kind erasure names by `data` and `labels`, and what the eraser makes of them.
class ErasedRows {
 public:
  ErasedRows(Session& session, const Step& step, const ErasureClaim& claim);

  [[nodiscard]] double label(std::size_t row, std::size_t c) const { return z_[row * k + c]; }
  [[nodiscard]] double input(std::size_t row, std::size_t j) const { return x_[row * d + j]; }
  /// The deployed output of one row in units of 2^-gridBits.
  void deploy(std::size_t row, double* Y) const;
  /// A tensor beside x or z: one whole number a row.
  [[nodiscard]] std::vector<std::int64_t> whole(const std::string& tensor) const;
  [[nodiscard]] bool has(const std::string& tensor) const;
  /// "data SHA[ with labels SHA]", and ", hook H, eraser D"
  [[nodiscard]] std::string named() const;
  [[nodiscard]] std::string tail(const Session& session) const;

  Eraser eraser;
  std::size_t n = 0, d = 0, k = 0;
  bool fitted = false;            ///< the eraser says it was fitted on this file, or on its rows
  bool one_hot = true;            ///< every row has exactly one label
  std::vector<std::size_t> ones;  ///< rows of each label, neither 0 nor n

 private:
  /// Of the rows as a set, in hexadecimal: of the digests of all rows in rising order; that of a row is of its
  /// numbers as float32 where that holds them all, else as float64, little-endian.
  [[nodiscard]] std::string rows_digest() const;

  const Step& step_;
  std::string data_sha_, labels_sha_;
  std::optional<Safetensors> data_, labels_;
  Numbers x_, z_;
};

/// A hook's name as a word of the output: other characters than letters, digits, `.` and `_` become `?`.
[[nodiscard]] std::string printable(std::string hook);
/// The claim of the step's id, of this form.
[[nodiscard]] ErasureClaim erasure_claim(Session& session, const Step& step, std::string_view form);
/// A fraction above 0.
[[nodiscard]] Fraction positive_term(const Step& step, const ErasureClaim& claim, const char* key);

/// num / den, den > 0, of any size.
struct Ratio {
  Integer num, den;
  explicit Ratio(const Fraction& f) : num(f.num), den(f.den) {}
  Ratio(Integer a, Integer b) : num(std::move(a)), den(std::move(b)) {}
  [[nodiscard]] Ratio operator*(const Ratio& o) const { return {num * o.num, den * o.den}; }
  [[nodiscard]] bool at_most(const Ratio& o) const { return num * o.den <= o.num * den; }
};

}  // namespace assay_check
