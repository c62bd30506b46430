#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/erase/tensor_claims.hpp"

namespace assay::erase {

/// The columns' extents of rows and labels.
struct SavedExtent {
  Extent x{0}, z{0};
};
/// Of one file; those of parts are merged by Extent::merge.
[[nodiscard]] SavedExtent extent_of(const Tables& tables);
[[nodiscard]] std::string extent_tensors(const SavedExtent& extent);
/// Throws InputError.
[[nodiscard]] SavedExtent load_extent(const std::filesystem::path& path);

/// Moments of some rows within an extent, and where the rows came from. Those of one extent can be merged,
/// and an eraser of the merged ones has the bytes of one fitted on all rows in one pass.
struct SavedMoments {
  Moments moments;
  Extent x, z;  ///< of all rows to be merged
  EraserOrigin origin;
  std::string hook;
};
/// Sums as integers in two 64-bit halves, extents, and origin in the metadata.
[[nodiscard]] std::string moments_tensors(const SavedMoments& saved);
/// Throws InputError for what no rows within the extent add up to in size.
[[nodiscard]] SavedMoments load_moments(const std::filesystem::path& path);
/// The moments of one file's rows. Throws InputError for rows outside the extent.
[[nodiscard]] SavedMoments moments_within(const Tables& tables, const SavedExtent& extent,
                                          const std::string& hook);
/// Throws InputError, naming `file`, where extents, hooks or models differ, or the rows are there already.
void merge_moments(SavedMoments& into, const SavedMoments& other, const std::string& file);

/// As fit_tensors; where the extent alone does not show that the default grid holds every output, a coarser
/// one is taken, since no row can be looked at. Throws UsageError for splince.
[[nodiscard]] TensorFit fit_moments(const SavedMoments& saved, const TensorFitOptions& options);

}  // namespace assay::erase
