#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/erase/concept.hpp"
#include "assay/erase/eraser_file.hpp"
#include "assay/erase/leace.hpp"
#include "assay/erase/probe.hpp"
#include "assay/erase/residual.hpp"
#include "assay/erase/rows.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"

namespace assay::erase {

struct EraseInput {
  const Transformer& model;
  const Tokenizer& tokenizer;
  const std::vector<Document>& documents;
  Concept labelled;
  std::string hook = "blocks.0.hook_resid_mid";
  std::size_t max_tokens = 30000;  ///< rows a split, at most
  std::uint64_t seed = 1;
  int grid_bits = 16;         ///< the finest grid wanted
  bool plant_emails = false;  ///< where the text has too few addresses of its own
};

/// One claim of the request and the evidence it names.
struct ResidualClaim {
  std::string id;         ///< "<concept>-fit", "<concept>-calibration"
  std::string data_file;  ///< name in the output directory
  Digest data_digest;
  Residual residual;
  std::optional<Digest> labels_digest = {};  ///< where the labels are in a file of their own
};

struct SplitFigures {
  std::size_t rows = 0, positive = 0, documents = 0;
  double r2_before = 0;  ///< max R^2 of the raw site, in double
};

struct ProbePair {
  ProbeFigures before, after;  ///< each trained and tested on its own inputs
  bool converged_before = true, converged_after = true;
};

/// All figures of one erasure, each OBSERVED, with the bytes of every file it leaves.
struct EraseResult {
  Concept labelled;
  std::string hook;
  ConceptCount natural;  ///< in the text as given
  ConceptCount used;     ///< after planting, if any
  bool planted = false;
  Digest corpus;       ///< of the text as given
  Digest used_corpus;  ///< of the copies with planted addresses; else equal
  std::uint64_t seed = 0;
  std::size_t max_tokens = 0;
  LeaceFit fit;
  SplitFigures fit_split, calibration_split, train_half, test_half;
  ResidualClaim on_fit, on_calibration;
  ProbePair logistic, least_squares, relu;
  std::size_t relu_features = 0;
  Cost cost;
  double mean_change = 0;       ///< mean |Y 2^-g - x| over mean |x - mean x|, held-out
  Readout probe, probe_erased;  ///< both on the raw site
  std::vector<std::pair<std::string, std::string>> files;  ///< name, bytes; sorted by name
};

/// Runs the whole of it; writes nothing. Throws Refusal with the reason when there is nothing
/// that may be called erased, UsageError or InputError for unusable input.
[[nodiscard]] EraseResult run_erasure(const EraseInput& input);

/// Writes the result's files into the directory, creating it.
void write_erasure(const EraseResult& result, const std::filesystem::path& directory);

/// erasure.json: every figure with its definition and level, and what is not claimed.
[[nodiscard]] std::string erasure_json(const EraseResult& result);
/// The same for people, as a table.
[[nodiscard]] std::string erasure_table(const EraseResult& result);

/// Bytes of a data file: `x` F32 [n,d], `z` I64 [n].
[[nodiscard]] std::string data_file(const Rows& rows);
[[nodiscard]] std::string request_text(const std::vector<const ResidualClaim*>& claims);
/// The certificate of kind erasure for these claims; config and weights of the model where the
/// activations are those of a model.
[[nodiscard]] std::string certificate_text(const std::vector<const ResidualClaim*>& claims,
                                           const std::optional<std::pair<Digest, Digest>>& model,
                                           const Digest& eraser_config,
                                           const Digest& eraser_weights, const Digest& statement);

}  // namespace assay::erase
