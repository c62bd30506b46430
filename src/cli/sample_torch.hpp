#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/verify/sampled.hpp"

namespace assay::cli {

/// The plan's runs as `assay-torch sample` draws them, in a child process with files between. Throws UsageError when the program
/// is not there, Error with its exit code when it fails.
[[nodiscard]] std::vector<SampledRun> torch_runs(const verify::SampleInput& input,
                                                 const std::string& model,
                                                 const std::string& device);

/// Where two engines first part, over all runs.
struct Parting {
  std::size_t runs = 0, same = 0;
  std::optional<std::size_t> run, token;  ///< of the first that differs
  std::size_t near = 0;  ///< of the differing runs: those with a draw of less slack than kNearTie

  /// Some run differs that has no near tie.
  [[nodiscard]] bool is_fault() const { return same + near < runs; }
  [[nodiscard]] nlohmann::ordered_json json() const;
  [[nodiscard]] std::string text() const;
};
/// @param reference with its draws' slack
[[nodiscard]] Parting compare(const std::vector<SampledRun>& reference,
                              const std::vector<SampledRun>& other);

}  // namespace assay::cli
