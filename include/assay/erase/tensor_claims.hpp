#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/erase/eraser_file.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/tables.hpp"

namespace assay::erase {

/// A part of the rows of a fit.
struct Shard {
  std::filesystem::path activations;
  std::optional<std::filesystem::path> labels;
};

struct TensorFitOptions {
  Method method = Method::leace;
  std::string hook;                           ///< empty: the files' own, or "unnamed"
  std::string labelled;                       ///< the concept's name, or empty
  std::optional<int> grid_bits;               ///< none: the finest of which a claim can be shown
  bool quantities = false;                    ///< labels are numbers, not classes
  std::optional<std::filesystem::path> keep;  ///< labels to keep (splince); then one shard
};

struct TensorFit {
  LeaceFit fit;
  EraserOrigin origin;
  std::size_t n = 0, k = 0;
  std::vector<double> base_rates;  ///< mean of every label to erase
};

/// An eraser of the shards' rows in their order: what comes out depends on the rows alone, not on how
/// they are cut into files. Throws InputError for unusable files and Refusal with the reason.
[[nodiscard]] TensorFit fit_tensors(const std::vector<Shard>& shards,
                                    const TensorFitOptions& options);

/// What certifying found, and the files it leaves: erasure.request, erasure.cert, claims.json.
struct TensorCertificate {
  ResidualClaim claim;
  bool fit_rows = false;  ///< the file is one of those the eraser was fitted on
  std::vector<std::pair<std::string, std::string>> files;
  std::string json;  ///< claims.json
};

/// ERASE-RESIDUAL of the eraser's deployed float32 outputs on these rows. Throws Refusal when labels are
/// not 0 and 1, a label is constant, or no bound below 1 is shown.
[[nodiscard]] TensorCertificate certify_tensors(const LoadedEraser& eraser, const Tables& tables);

}  // namespace assay::erase
