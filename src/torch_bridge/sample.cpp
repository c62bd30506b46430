#include "assay/torch_bridge/sample.hpp"

#include <algorithm>
#include <chrono>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"

namespace assay::torch_bridge {

Outcome sample(const SampleOptions& options) {
  const DeepModel model = load_deep_model(options.model);
  const SampleRequest request =
      parse_sample_request(read_file(options.request), options.request.string(), model.config.d_vocab);
  for (const auto& prompt : request.prompts) {
    if (model.longest() > 0 && prompt.size() + request.plan.max_new > model.longest()) {
      throw InputError("run", "prompt and new tokens",
                       "at most n_ctx = " + std::to_string(model.longest()),
                       std::to_string(prompt.size() + request.plan.max_new));
    }
  }
  const auto start = std::chrono::steady_clock::now();
  std::vector<SampledRun> runs;
  std::size_t tokens = 0;
  Progress progress("sample", request.prompts.size());
  while (runs.size() < request.prompts.size()) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "interrupted; nothing was written");
    }
    const std::size_t begin = runs.size();
    const std::size_t end = std::min(begin + request.batch, request.prompts.size());
    const std::unique_ptr<TokenEngine> engine = open_engine(model, end - begin, options.device);
    std::vector<SampledRun> drawn =
        draw_side_by_side(*engine, request.plan, begin,
                          {request.prompts.begin() + static_cast<std::ptrdiff_t>(begin),
                           request.prompts.begin() + static_cast<std::ptrdiff_t>(end)});
    for (SampledRun& run : drawn) {
      tokens += run.tokens.size();
      runs.push_back(std::move(run));
    }
    progress.update(runs.size());
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_file_atomic(options.out, runs_jsonl(runs, true));
  Outcome outcome;
  outcome.text = "sampled " + std::to_string(runs.size()) + " runs, " + std::to_string(tokens) +
                 " tokens in " + fixed(seconds, 2) + " s; wrote " + options.out.string();
  outcome.json = "{\"runs\":" + std::to_string(runs.size()) +
                 ",\"tokens\":" + std::to_string(tokens) + ",\"seconds\":" + fixed(seconds, 3) + "}";
  return outcome;
}

}  // namespace assay::torch_bridge
