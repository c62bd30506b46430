#pragma once

#include <string>

#include "adam.hpp"
#include "assay/base/errors.hpp"
#include "assay/torch_bridge/checkpoint.hpp"
#include "assay/torch_bridge/options.hpp"
#include "torch_api.hpp"

namespace assay::torch_bridge {

/// Saves and restores a run: parameters, both moments, the step, and what the caller adds.
/// Everything random is a function of (seed, step), so there is no generator to keep.
class RunState {
 public:
  RunState(const RunOptions& run, std::string options, std::string corpus, Parameters& parameters,
           Adam& adam)
      : run_(run),
        options_(std::move(options)),
        corpus_(std::move(corpus)),
        parameters_(parameters),
        adam_(adam) {}

  /// Under --resume: restores everything and returns the step to go on from; else 0.
  [[nodiscard]] std::size_t resume() {
    if (!run_.resume) {
      return 0;
    }
    extra = load_checkpoint(run_.checkpoint, options_, corpus_);
    restore(parameters_, "parameter/");
    restore(adam_.first_moments(), "first/");
    restore(adam_.second_moments(), "second/");
    adam_.restore_steps(extra.step());
    return extra.step();
  }

  void save(std::size_t step) {
    if (run_.checkpoint.empty()) {
      return;
    }
    Checkpoint file = extra;
    file.options = options_;
    file.corpus_digest = corpus_;
    file.integers["step"] = {static_cast<std::int64_t>(step)};
    const auto put = [&file](const Parameters& tensors, const std::string& prefix) {
      for (const auto& [name, tensor] : tensors) {
        file.floats[prefix + name] = to_plain(tensor);
      }
    };
    put(parameters_, "parameter/");
    put(adam_.first_moments(), "first/");
    put(adam_.second_moments(), "second/");
    save_checkpoint(run_.checkpoint, file);
  }

  [[nodiscard]] bool due(std::size_t step) const {
    return !run_.checkpoint.empty() && run_.checkpoint_every > 0 &&
           step % run_.checkpoint_every == 0;
  }
  void save_if_due(std::size_t step) {
    if (due(step)) {
      save(step);
    }
  }

  Checkpoint extra;  ///< the caller's own entries, saved with the rest

 private:
  void restore(Parameters& tensors, const std::string& prefix) {
    const c10::NoGradGuard no_gradient;
    for (auto& [name, tensor] : tensors) {
      const auto found = extra.floats.find(prefix + name);
      if (found == extra.floats.end() ||
          found->second.data.size() != static_cast<std::size_t>(tensor.numel())) {
        throw InputError(
            run_.checkpoint.string(), prefix + name, std::to_string(tensor.numel()) + " numbers",
            found == extra.floats.end() ? "none" : std::to_string(found->second.data.size()));
      }
      tensor.copy_(to_torch(found->second, tensor.device()).view(tensor.sizes()));
    }
  }

  const RunOptions& run_;
  std::string options_, corpus_;
  Parameters& parameters_;
  Adam& adam_;
};

}  // namespace assay::torch_bridge
