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

namespace {

/// The batches of what is still to be drawn, one after the other by any thread.
class Drawing {
 public:
  Drawing(const SampleInput& input, std::vector<SampledRun> begun)
      : input_(input),
        plan_(draw_plan(input)),
        prompts_(plan_prompts(input)),
        runs_(std::move(begun)),
        begin_(runs_.size()),
        batch_(std::max<std::size_t>(input.batch, 1)),
        batches_((input.runs - begin_ + batch_ - 1) / batch_),
        finished_(batches_),
        failures_(std::max<std::size_t>(input.threads, 1)),
        progress_("sample", input.runs),
        done_(begin_) {
    runs_.resize(input.runs);
  }

  /// The runs up to the first that is not finished.
  std::vector<SampledRun> draw() {
    std::vector<std::thread> others;
    for (std::size_t t = 1; t < failures_.size(); ++t) {
      others.emplace_back(&Drawing::work, this, t);
    }
    work(0);
    for (std::thread& t : others) {
      t.join();
    }
    for (const std::exception_ptr& failure : failures_) {
      if (failure) {
        std::rethrow_exception(failure);
      }
    }
    const auto first = std::find(finished_.begin(), finished_.end(), 0);
    runs_.resize(std::min(input_.runs,
                          begin_ + batch_ * static_cast<std::size_t>(first - finished_.begin())));
    return std::move(runs_);
  }

 private:
  void work(std::size_t thread) {
    try {
      for (std::size_t i = next_++; i < batches_ && !interrupted(); i = next_++) {
        one(i);
        if (thread == 0) {
          progress_.update(done_);
        }
      }
    } catch (...) {
      failures_[thread] = std::current_exception();
      next_ = batches_;
    }
  }

  void one(std::size_t i) {
    const std::size_t from = begin_ + i * batch_, to = std::min(from + batch_, input_.runs);
    Generation generation(*input_.model, to - from);
    std::vector<SampledRun> drawn = draw_side_by_side(
        generation, plan_, from, {prompts_.begin() + at(from), prompts_.begin() + at(to)});
    std::move(drawn.begin(), drawn.end(), runs_.begin() + at(from));
    done_ += drawn.size();
    finished_[i] = 1;
  }

  static std::ptrdiff_t at(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

  const SampleInput& input_;
  DrawPlan plan_;
  std::vector<std::vector<TokenId>> prompts_;
  std::vector<SampledRun> runs_;
  std::size_t begin_, batch_, batches_;
  std::vector<char> finished_;  ///< [batches], each written by one thread
  std::vector<std::exception_ptr> failures_;
  Progress progress_;
  std::atomic<std::size_t> next_{0}, done_;
};

}  // namespace

std::vector<SampledRun> continue_runs(const SampleInput& input, std::vector<SampledRun> begun) {
  require(begun.size() <= input.runs, "continue_runs: more runs than the plan has");
  return Drawing(input, std::move(begun)).draw();
}

std::vector<SampledRun> draw_runs(const SampleInput& input) {
  std::vector<SampledRun> out = continue_runs(input, {});
  if (out.size() < input.runs) {
    throw Error(ExitCode::interrupted, "interrupted; a part of a plan counts for nothing");
  }
  return out;
}

}  // namespace assay::verify
