#pragma once

#include <filesystem>

#include "assay/erase/eraser_file.hpp"
#include "assay/erase/labelled_eraser.hpp"
#include "assay/erase/tables.hpp"

namespace assay::erase {

/// What applying an eraser to rows x changed.
struct Applied {
  double mean_square_change = 0;     ///< mean over rows of |y - x|^2
  double largest_change = 0;         ///< of one entry
  std::vector<std::size_t> dropped;  ///< coordinates that a bottleneck leaves out
  Digest digest;                     ///< of the file written
};

/// r coordinates that the others determine: with P the columns chosen of R, R_P is invertible, and
///   R (y - mu) = 0   =>   y_P = mu_P - R_P^-1 R_rest (y_rest - mu_rest)
/// chosen by complete pivoting; in rising order.
[[nodiscard]] std::vector<std::size_t> bottleneck_coordinates(const Eraser& eraser);

/// Writes the deployed outputs, float32, as tensor `x` [n,d] of `out`, block by block: no more than a
/// block is in memory. With `bottleneck` the outputs without `bottleneck_coordinates`, [n,d-r]: every
/// claim about affine predictors from all coordinates is one about these. Throws InputError for rows of
/// another site, model or width, Refusal when the grid is left; then nothing is written.
Applied apply_table(const LoadedEraser& eraser, const ActivationTable& x,
                    const std::filesystem::path& out, bool bottleneck = false);

/// The same with an eraser that reads the rows' labels.
Applied apply_labelled(const LabelledEraser& eraser, const Tables& tables,
                       const std::filesystem::path& out);

}  // namespace assay::erase
