#include <bit>
#include <cmath>
#include <ctime>

#include "adam.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "assay/base/text.hpp"
#include "assay/torch_bridge/checkpoint.hpp"
#include "assay/torch_bridge/data.hpp"
#include "assay/torch_bridge/train.hpp"
#include "dictionary.hpp"
#include "state.hpp"

namespace assay::torch_bridge {
namespace {

constexpr std::size_t kBatchesPerChunk = 16;
constexpr std::size_t kEvaluationTokens = 65536;
constexpr double kThetaRate = 0.01;

/// Batches of (input, target) rows: chunks of windows drawn over all fit documents, run
/// through the model and shuffled. Chunk c is a function of (seed, c) alone.
class ActivationStream {
 public:
  ActivationStream(const Network& network, const Windows& windows, const SaeOptions& options)
      : network_(network), windows_(windows), options_(options) {}

  [[nodiscard]] Pairs batch(std::size_t step) {
    load(step / kBatchesPerChunk);
    const std::int64_t n = len(options_.batch);
    const std::int64_t first = len(step % kBatchesPerChunk) * n;
    return {chunk_.in.narrow(0, first, n), chunk_.out.narrow(0, first, n)};
  }
  /// All rows of one chunk, in shuffled order.
  [[nodiscard]] const Pairs& chunk(std::size_t index) {
    load(index);
    return chunk_;
  }

 private:
  void load(std::size_t index) {
    if (loaded_ && index == index_) {
      return;
    }
    const std::size_t length = windows_.length();
    const std::size_t rows = kBatchesPerChunk * options_.batch;
    const std::size_t count = (rows + length - 1) / length;
    const std::uint64_t seed = mix(options_.seed, 0xac7);
    const at::Tensor tokens =
        tokens_to_torch(windows_.draw(count, seed, index), length, network_.device());
    const Pairs pairs = activations(network_, options_.kind, tokens);
    const std::vector<std::int64_t> order = permutation(count * length, mix(seed + 1, index));
    const at::Tensor shuffled =
        tokens_to_torch(order, order.size(), network_.device()).flatten().narrow(0, 0, len(rows));
    chunk_.in = pairs.in.index_select(0, shuffled);
    chunk_.out = options_.kind == "sae" ? chunk_.in : pairs.out.index_select(0, shuffled);
    index_ = index;
    loaded_ = true;
  }

  const Network& network_;
  const Windows& windows_;
  const SaeOptions& options_;
  Pairs chunk_;
  std::size_t index_ = 0;
  bool loaded_ = false;
};

struct StepFigures {
  double loss = 0, mse = 0, l1 = 0, aux = 0, l0 = 0, fvu = 0;
  std::size_t dead = 0;
};

/// One dictionary under one recipe: the loss of a batch, and what happens between steps.
class Trainer {
 public:
  Trainer(const SaeOptions& options, Dictionary& dictionary, Adam& adam)
      : o_(options), d_(dictionary), adam_(adam), silent_(options.d_sae, 0) {}

  [[nodiscard]] StepFigures step(const Pairs& batch, std::size_t step);
  /// 2023 recipe: at 1/4, 1/2 and 3/4 of the steps every feature that was silent since the
  /// last eighth is pointed at an input drawn with probability proportional to its squared loss.
  void resample_if_due(const Pairs& chunk, std::size_t done);
  [[nodiscard]] std::vector<std::int64_t>& silent() { return silent_; }

 private:
  at::Tensor sparse_features(const at::Tensor& pre, StepFigures& figures);
  at::Tensor dead_loss(const at::Tensor& pre, const at::Tensor& residual, std::size_t dead_after,
                       StepFigures& figures);
  void count_silent(const at::Tensor& features);
  [[nodiscard]] std::vector<std::int64_t> silent_for(std::size_t tokens) const;

  const SaeOptions& o_;
  Dictionary& d_;
  Adam& adam_;
  std::vector<std::int64_t> silent_;  ///< tokens since each feature was last on
};

/// BatchTopK: the batch's k*B largest positive pre-activations; ReLU for the L1 recipe.
at::Tensor Trainer::sparse_features(const at::Tensor& pre, StepFigures& figures) {
  const at::Tensor positive = at::relu(pre);
  if (o_.recipe == "l1") {
    figures.l0 = (positive > 0).sum().item<double>() / static_cast<double>(pre.size(0));
    return positive;
  }
  const double lowest = kth_largest(positive, o_.k * static_cast<std::size_t>(pre.size(0)));
  const at::Tensor kept = positive > lowest;
  d_.theta = d_.theta == 0 ? lowest : (1 - kThetaRate) * d_.theta + kThetaRate * lowest;
  figures.l0 = kept.sum().item<double>() / static_cast<double>(pre.size(0));
  return positive * kept;
}

/// Lets the dead features with the largest pre-activations predict what the others left over.
at::Tensor Trainer::dead_loss(const at::Tensor& pre, const at::Tensor& residual,
                              std::size_t dead_after, StepFigures& figures) {
  const std::vector<std::int64_t> dead = silent_for(dead_after);
  figures.dead = dead.size();
  if (dead.empty() || o_.aux == 0) {
    return {};
  }
  const at::Tensor which = tokens_to_torch(dead, dead.size(), pre.device()).flatten();
  const at::Tensor theirs = at::relu(pre.index_select(1, which));
  const std::size_t count = std::min<std::size_t>(dead.size(), o_.k * 2);
  const double lowest = kth_largest(theirs, count * static_cast<std::size_t>(pre.size(0)));
  const at::Tensor kept = theirs * (theirs > lowest);
  const at::Tensor guess = at::matmul(kept, d_.get("W_dec").index_select(0, which));
  const at::Tensor target = residual.detach();
  const at::Tensor scale = (target - target.mean(0)).square().sum().clamp_min(1e-8);
  return (guess - target).square().sum() / scale;
}

std::vector<std::int64_t> Trainer::silent_for(std::size_t tokens) const {
  std::vector<std::int64_t> dead;
  for (std::size_t i = 0; i < silent_.size(); ++i) {
    if (silent_[i] >= static_cast<std::int64_t>(tokens)) {
      dead.push_back(static_cast<std::int64_t>(i));
    }
  }
  return dead;
}

void Trainer::count_silent(const at::Tensor& features) {
  const at::Tensor fired = (features > 0).any(0).to(at::kCPU).contiguous();
  const bool* on = fired.data_ptr<bool>();
  for (std::size_t i = 0; i < silent_.size(); ++i) {
    silent_[i] = on[i] ? 0 : silent_[i] + features.size(0);
  }
}

StepFigures Trainer::step(const Pairs& batch, std::size_t step) {
  StepFigures figures;
  const at::Tensor x = batch.in * d_.in_scale;
  const at::Tensor y = batch.out * d_.out_scale;
  const at::Tensor pre = d_.pre(x);
  const at::Tensor features = sparse_features(pre, figures);
  const at::Tensor residual = y - d_.decode(features);
  const at::Tensor error = residual.square().sum();
  const at::Tensor fvu = error / (y - y.mean(0)).square().sum().clamp_min(1e-8);
  at::Tensor loss = fvu;
  if (o_.recipe == "l1") {
    const double warm_up =
        std::min(1.0, static_cast<double>(step + 1) * 20 / static_cast<double>(o_.steps));
    const at::Tensor l1 =
        features.sum() / static_cast<double>(x.size(0)) / std::sqrt(static_cast<double>(y.size(1)));
    figures.l1 = l1.item<double>();
    loss = loss + o_.l1 * warm_up * l1;
    figures.dead = silent_for(o_.batch * std::max<std::size_t>(o_.steps / 8, 1)).size();
  } else {
    const at::Tensor aux = dead_loss(pre, residual, 100 * o_.batch, figures);
    if (aux.defined()) {
      figures.aux = aux.item<double>();
      loss = loss + o_.aux * aux;
    }
  }
  figures.loss = loss.item<double>();
  figures.fvu = fvu.item<double>();
  figures.mse = error.item<double>() / static_cast<double>(y.numel());
  std::vector<at::Tensor> gradients = adam_.gradients(loss);
  gradients[0] = perpendicular(gradients[0], d_.get("W_dec"));  // name order: W_dec comes first
  adam_.step(std::move(gradients), learning_rate(o_.lr, step, o_.steps), 1.0);
  normalise_decoder(d_);
  count_silent(features);
  return figures;
}

void Trainer::resample_if_due(const Pairs& chunk, std::size_t done) {
  const std::size_t quarter = o_.steps / 4;
  if (o_.recipe != "l1" || quarter == 0 || done % quarter != 0 || done >= o_.steps) {
    return;
  }
  const std::vector<std::int64_t> dead =
      silent_for(o_.batch * std::max<std::size_t>(o_.steps / 8, 1));
  if (dead.empty()) {
    return;
  }
  const c10::NoGradGuard no_gradient;
  const at::Tensor x = chunk.in * d_.in_scale;
  const at::Tensor y = chunk.out * d_.out_scale;
  const at::Tensor loss = (y - d_.decode(at::relu(d_.pre(x)))).square().sum(1);
  const Tensor cumulative =
      to_plain(loss.to(at::kDouble).square().cumsum(0).div(loss.to(at::kDouble).square().sum()));
  Random random(mix(o_.seed, done));
  const at::Tensor& b_dec = d_.get("b_dec");
  const double alive = d_.get("W_enc").norm(2, {0}).mean().item<double>();
  for (const std::int64_t i : dead) {
    const auto at_least = std::lower_bound(cumulative.data.begin(), cumulative.data.end() - 1,
                                           static_cast<float>(random.unit()));
    const std::int64_t row = at_least - cumulative.data.begin();
    const at::Tensor in = d_.subtract_b_dec ? x[row] - b_dec : x[row] - x.mean(0);
    const at::Tensor out = y[row] - b_dec;
    const at::Tensor read = in / in.norm().clamp_min(1e-8) * (0.2 * alive);
    d_.parameters.at("W_enc").select(1, i).copy_(read);
    d_.parameters.at("W_dec").select(0, i).copy_(out / out.norm().clamp_min(1e-8));
    d_.parameters.at("b_enc")[i].copy_(d_.subtract_b_dec ? at::zeros({}, x.options())
                                                         : -(x.mean(0) * read).sum());
    for (Parameters* moments : {&adam_.first_moments(), &adam_.second_moments()}) {
      moments->at("W_enc").select(1, i).zero_();
      moments->at("W_dec").select(0, i).zero_();
      moments->at("b_enc")[i].zero_();
    }
    silent_[static_cast<std::size_t>(i)] = 0;
  }
}

/// The run's own state beside parameters and moments.
void keep(Checkpoint& extra, const Dictionary& d, const std::vector<std::int64_t>& silent) {
  const auto bits = [](double x) { return std::bit_cast<std::int64_t>(x); };
  extra.integers["scales_and_theta"] = {bits(d.in_scale), bits(d.out_scale), bits(d.theta)};
  extra.integers["silent"] = silent;
}

void restore(const Checkpoint& extra, const SaeOptions& o, Dictionary& d,
             std::vector<std::int64_t>& silent) {
  const auto numbers = extra.integers.find("scales_and_theta");
  const auto counts = extra.integers.find("silent");
  if (numbers == extra.integers.end() || numbers->second.size() != 3 ||
      counts == extra.integers.end() || counts->second.size() != o.d_sae) {
    throw InputError(o.checkpoint.string(), "scales_and_theta, silent",
                     "a checkpoint of assay train sae", "none");
  }
  d.in_scale = std::bit_cast<double>(numbers->second[0]);
  d.out_scale = std::bit_cast<double>(numbers->second[1]);
  d.theta = std::bit_cast<double>(numbers->second[2]);
  silent = counts->second;
}

Scalars logged(const StepFigures& f, const SaeOptions& o, std::size_t done, double rate) {
  return {{"losses/overall_loss", f.loss},
          {"losses/mse_loss", f.mse},
          {"losses/l1_loss", f.l1},
          {"losses/auxiliary_reconstruction_loss", f.aux},
          {"metrics/l0", f.l0},
          {"metrics/explained_variance", 1 - f.fvu},
          {"sparsity/dead_features", static_cast<double>(f.dead)},
          {"details/current_learning_rate", learning_rate(o.lr, done - 1, o.steps)},
          {"details/n_training_samples", static_cast<double>(done * o.batch)},
          {"details/l1_coefficient", o.l1},
          {"details/tokens_per_second", rate}};
}

Scalars figures_of(const Evaluation& e) {
  return {{"l0", e.l0},
          {"fvu", e.fvu},
          {"ce_clean", e.ce_clean},
          {"ce_spliced", e.ce_spliced},
          {"ce_zero_ablated", e.ce_zero},
          {"loss_recovered", e.recovered},
          {"dead_fraction", e.dead_fraction},
          {"evaluation_tokens", static_cast<double>(e.tokens)}};
}

Tokenizer load_tokenizer(const SaeOptions& o, const Transformer& model) {
  const std::filesystem::path file = o.model / "tokenizer.json";
  Tokenizer tokenizer = Tokenizer::load(file);
  if (tokenizer.size() > model.config.d_vocab) {
    throw InputError(file.string(), "size",
                     "at most d_vocab = " + std::to_string(model.config.d_vocab),
                     std::to_string(tokenizer.size()));
  }
  return tokenizer;
}

/// Everything the loop works on.
struct Run {
  const SaeOptions& options;
  ActivationStream& stream;
  Dictionary& dictionary;
  Trainer& trainer;
  RunState& state;

  void save(std::size_t done) const {
    keep(state.extra, dictionary, trainer.silent());
    state.save(done);
  }
};

/// Steps until the stop rule says so; returns the number of steps done.
std::size_t train_from(std::size_t done, const Run& run, StopRule& stop) {
  const SaeOptions& o = run.options;
  MetricsLog log(o.out, done);
  Progress progress("train " + o.kind, o.steps);
  const std::size_t first = done;
  const std::size_t chunk = std::max<std::size_t>(1, o.steps / 40);
  while (!stop.leave(done)) {
    const StepFigures f = run.trainer.step(run.stream.batch(done), done);
    ++done;
    run.trainer.resample_if_due(run.stream.chunk((done - 1) / kBatchesPerChunk), done);
    const double rate = static_cast<double>((done - first) * o.batch) / stop.seconds();
    if (done % chunk == 0 || done == o.steps) {
      log.write(done, logged(f, o, done, rate));
    }
    progress.update(done, fixed(rate / 1000, 1) + " k tokens/s, loss " + fixed(f.loss, 4) +
                              ", L0 " + fixed(f.l0, 1) + ", FVU " + fixed(f.fvu, 4) + ", dead " +
                              std::to_string(f.dead));
    if (run.state.due(done)) {
      run.save(done);
    }
  }
  if (stop.ending() != Ending::finished) {
    run.save(done);
  }
  return done;
}

}  // namespace

Outcome train_sae(const SaeOptions& o) {
  const Transformer model = load_transformer(o.model);
  const Network network = Network::from(model, open_device(o.device));
  const Tokenizer tokenizer = load_tokenizer(o, model);
  const std::vector<Document> documents = load_corpus(o.text);
  const std::string digest = corpus_digest(documents).hex();
  const TokenText fit_text = tokenize(documents, Part::fit, tokenizer);
  const TokenText held_out_text = tokenize(documents, Part::held_out, tokenizer);
  const std::size_t n_ctx = model.config.n_ctx;
  const Windows fit(fit_text, n_ctx, o.text.string() + " (fit part)");
  const Windows held_out(held_out_text, n_ctx + 1, o.text.string() + " (held-out part)");
  StopRule stop(o);
  const std::clock_t cpu_start = std::clock();
  ActivationStream stream(network, fit, o);
  Dictionary dictionary = start_dictionary(o, stream.chunk(0));
  Adam adam(dictionary.parameters, 0.9, 0.999, 0);
  Trainer trainer(o, dictionary, adam);
  const std::string options = options_json(o);
  RunState state(o, options, digest + " model " + model.weights_digest.hex(), dictionary.parameters,
                 adam);
  const std::size_t resumed = state.resume();
  if (resumed > 0) {
    restore(state.extra, o, dictionary, trainer.silent());
  }
  for (auto& [name, p] : dictionary.parameters) {
    p.requires_grad_(true);
  }
  make_directory(o.out);
  const std::size_t done = train_from(resumed, {o, stream, dictionary, trainer, state}, stop);
  const Sae sae = to_sae(dictionary, o);
  save_sae(o.out, sae);
  const double seconds = stop.seconds();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const at::Tensor rows =
      tokens_to_torch(held_out.spread(kEvaluationTokens / n_ctx), n_ctx + 1, network.device());
  const Evaluation evaluation = evaluate(network, sae, o.kind, rows);
  return conclude(o, "train " + o.kind, options, digest, done, stop.ending(),
                  figures_of(evaluation), {{"seconds", seconds}, {"cpu_seconds", cpu}});
}

}  // namespace assay::torch_bridge
