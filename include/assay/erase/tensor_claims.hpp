#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/erase/eraser_file.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/ledger.hpp"
#include "assay/erase/region.hpp"
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

/// Claims about the population that the rows were drawn from.
struct PopulationOptions {
  Rational alpha;                 ///< of all of them together
  std::filesystem::path ledger;   ///< a file; written before anything is looked at
  std::optional<Rational> total;  ///< of a new ledger
  bool independent_rows = false;  ///< rows are draws of their own; else the file names documents
  std::optional<Rational>
      label_noise;  ///< recorded labels are flips of the true ones at this rate at most
  std::optional<RegisteredProbes> probes;  ///< whose accuracy is asked for
  std::size_t symbols = 0;                 ///< of the tensor `symbol`, where it is asked about
};

/// What else is asked.
struct CertifyOptions {
  std::optional<PopulationOptions> population;
  std::optional<Unembedding> unembedding;    ///< the cost in predictions
  std::optional<RegisteredProbes> readouts;  ///< of every input of the region
  std::optional<Region> region;
};

/// What certifying found, and the files it leaves: erasure.request, erasure.cert, claims.json.
struct TensorCertificate {
  ResidualClaim claim;
  bool fit_rows = false;  ///< the file is one of those the eraser was fitted on
  std::vector<std::pair<std::string, std::string>> files;
  std::string json;  ///< claims.json
  std::size_t claims = 0;
};

/// ERASE-RESIDUAL, ADVANTAGE, CHANGE and OPERATOR of the eraser's deployed float32 outputs on these rows; TWO-HALVES,
/// LEAKAGE, INTERFACE and PROBE of a population, DIVERGENCE and WORST where they are asked for. Throws Refusal when labels are not 0 and 1, a label is
/// constant, or no bound below 1 is shown; of a population also when the rows are those of the fit or were
/// used before, the ledger is overdrawn, or nobody says what was drawn independently.
[[nodiscard]] TensorCertificate certify_tensors(const LoadedEraser& eraser, const Tables& tables,
                                                const CertifyOptions& options = {});

}  // namespace assay::erase
