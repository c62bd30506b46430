#pragma once

#include <filesystem>
#include <string>

#include "assay/torch_bridge/options.hpp"
#include "assay/torch_bridge/run_log.hpp"

namespace assay::torch_bridge {

/// The twin of a model: same text, seed, steps and sizes, trained freely. The difference of the
/// two validation losses is what provability costs; against a twin whose window is the known
/// tokens alone it is what the tokens beyond them are worth.
struct TwinOptions {
  std::filesystem::path model;  ///< directory that `assay train model` wrote and finished
  std::filesystem::path text;   ///< empty = where the model's training.json says
  std::filesystem::path out;    ///< directory the twin is written to
  std::size_t hard_window = 0;  ///< attention window of the twin; 0 = the model's
  std::string device = "auto";
};

/// What the record of a finished run says.
struct RunRecord {
  ModelOptions options;
  std::string corpus;  ///< "sha256:…"
  std::size_t steps = 0;
  double validation = 0;  ///< nats per token
};

/// Reads the text of a training.json. Throws InputError when it is not that of a finished
/// `train model` run.
[[nodiscard]] RunRecord parse_record(const std::string& json, const std::string& file);

/// Trains the twin and writes MODEL/price.json (MODEL/gain.json with a hard window): both losses
/// and their difference. Throws InputError when the text is not the one the model was trained on,
/// UsageError when the hard window is not smaller than the model's.
[[nodiscard]] Outcome train_twin(const TwinOptions& options);

}  // namespace assay::torch_bridge
