#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/torch_bridge/options.hpp"

namespace assay::torch_bridge {

using Scalars = std::vector<std::pair<std::string, double>>;

/// metrics.jsonl: one JSON object per line, with "step" first. A resumed run keeps the lines
/// up to the step it resumes from.
class MetricsLog {
 public:
  MetricsLog(const std::filesystem::path& directory, std::size_t resumed_step);
  void write(std::size_t step, const Scalars& scalars);

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

/// What a command leaves for its caller: exit code, text for people, one JSON object.
struct Outcome {
  ExitCode code = ExitCode::ok;
  std::string text;
  std::string json;
};

/// Why a run ended.
enum class Ending { finished, paused, seconds, interrupted };
[[nodiscard]] const char* word(Ending ending);

/// Decides after each step whether a run goes on.
class StopRule {
 public:
  explicit StopRule(const RunOptions& options);
  /// Of the run so far: wall-clock seconds.
  [[nodiscard]] double seconds() const;
  /// Whether to leave after `done` steps; `ending()` then says why.
  [[nodiscard]] bool leave(std::size_t done);
  [[nodiscard]] Ending ending() const { return ending_; }

 private:
  std::size_t steps_, pause_at_;
  double limit_;
  std::chrono::steady_clock::time_point start_;
  Ending ending_ = Ending::finished;
};

/// Writes DIR/training.json (deterministic: no times) and returns the outcome whose JSON has
/// the times too. `figures` are the final measurements, in the order given.
[[nodiscard]] Outcome conclude(const RunOptions& options, const std::string& what,
                               const std::string& options_object, const std::string& corpus_digest,
                               std::size_t steps_done, Ending ending, const Scalars& figures,
                               const Scalars& timings);

}  // namespace assay::torch_bridge
