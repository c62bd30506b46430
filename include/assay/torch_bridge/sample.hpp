#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "assay/model/deep_model.hpp"
#include "assay/model/sampling.hpp"
#include "assay/torch_bridge/run_log.hpp"

namespace assay::torch_bridge {

/// What `assay-torch sample` is asked to draw: a file between it and `assay sample`.
struct SampleRequest {
  DrawPlan plan;                              ///< d_vocab is the model's, not in the file
  std::size_t batch = 64;                     ///< runs side by side
  std::vector<std::vector<TokenId>> prompts;  ///< of run 0, 1, …
};

[[nodiscard]] std::string sample_request_json(const SampleRequest& request);
/// Throws InputError.
[[nodiscard]] SampleRequest parse_sample_request(const std::string& json, const std::string& file,
                                                 std::size_t d_vocab);

/// The model as LibTorch runs it, in float64 with keys and values kept.
/// @param sequences side by side at most. All rows of one `append` have the same length.
[[nodiscard]] std::unique_ptr<TokenEngine> open_engine(const DeepModel& model,
                                                       std::size_t sequences,
                                                       const std::string& device);

struct SampleOptions {
  std::filesystem::path model, request, out;
  std::string device = "auto";
};
/// Draws the runs and writes them as JSON lines. Throws InputError, UsageError.
[[nodiscard]] Outcome sample(const SampleOptions& options);

}  // namespace assay::torch_bridge
