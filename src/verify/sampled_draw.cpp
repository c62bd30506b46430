#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/model/generation.hpp"
#include "assay/verify/sampled.hpp"

namespace assay::verify {

DrawPlan draw_plan(const SampleInput& input) {
  return {input.emission.rule(), input.seed, input.max_new, input.model->config.d_vocab};
}

std::vector<std::vector<TokenId>> plan_prompts(const SampleInput& input) {
  const std::size_t most = input.model->longest();
  const std::size_t wanted = input.prompts.longest() + input.max_new;
  if (most > 0 && wanted > most) {
    throw InputError("run", "prompt and new tokens", "at most n_ctx = " + std::to_string(most),
                     std::to_string(wanted));
  }
  const CounterRandom random(input.seed);
  std::vector<std::vector<TokenId>> out;
  for (std::size_t i = 0; i < input.runs; ++i) {
    out.push_back(input.prompts.draw(random, i));
  }
  return out;
}

std::vector<SampledRun> draw_runs(const SampleInput& input) {
  const DrawPlan plan = draw_plan(input);
  const std::vector<std::vector<TokenId>> prompts = plan_prompts(input);
  const std::size_t batch = std::max<std::size_t>(input.batch, 1);
  const std::size_t batches = (input.runs + batch - 1) / batch;
  std::vector<SampledRun> out(input.runs);
  std::atomic<std::size_t> next{0}, done{0};
  std::vector<std::exception_ptr> failures(std::max<std::size_t>(input.threads, 1));
  Progress progress("sample", input.runs);
  const auto work = [&](std::size_t thread) {
    try {
      for (std::size_t i = next++; i < batches && !interrupted(); i = next++) {
        const auto from = prompts.begin() + static_cast<std::ptrdiff_t>(i * batch);
        const auto to = prompts.begin() +
                        static_cast<std::ptrdiff_t>(std::min((i + 1) * batch, input.runs));
        Generation generation(*input.model, static_cast<std::size_t>(to - from));
        std::vector<SampledRun> drawn =
            draw_side_by_side(generation, plan, i * batch, {from, to});
        std::move(drawn.begin(), drawn.end(),
                  out.begin() + static_cast<std::ptrdiff_t>(i * batch));
        done += drawn.size();
        if (thread == 0) {
          progress.update(done);
        }
      }
    } catch (...) {
      failures[thread] = std::current_exception();
      next = batches;
    }
  };
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < failures.size(); ++t) {
    others.emplace_back(work, t);
  }
  work(0);
  for (std::thread& t : others) {
    t.join();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  if (interrupted()) {
    throw Error(ExitCode::interrupted, "interrupted; a part of a plan counts for nothing");
  }
  return out;
}

}  // namespace assay::verify
