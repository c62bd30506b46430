#include <ctime>

#include "adam.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "assay/base/text.hpp"
#include "assay/torch_bridge/checkpoint.hpp"
#include "assay/torch_bridge/data.hpp"
#include "assay/torch_bridge/train.hpp"
#include "network.hpp"
#include "slack.hpp"
#include "state.hpp"

namespace assay::torch_bridge {
namespace {

constexpr std::size_t kValidationTokens = 20000;
constexpr std::int64_t kStates = 16;  // suffixes of each kind in a step's slack

struct Setting {
  Tokenizer tokenizer = Tokenizer::bytes();
  TokenText fit, held_out;
  std::string corpus_digest;
};

Setting read_text(const ModelOptions& o) {
  const std::vector<Document> documents = load_corpus(o.text);
  Setting s;
  s.corpus_digest = corpus_digest(documents).hex();
  if (o.tokenizer == "char") {
    std::string fit;
    for (const Document& document : documents) {
      if (part_of(document) == Part::fit) {
        fit += document.text;
      }
    }
    s.tokenizer = Tokenizer::characters(fit, o.vocab);
  }
  s.fit = tokenize(documents, Part::fit, s.tokenizer);
  s.held_out = tokenize(documents, Part::held_out, s.tokenizer);
  return s;
}

/// Mean loss over a fixed sample, in batches.
double validation_loss(const Network& network, const at::Tensor& rows) {
  const c10::NoGradGuard no_gradient;
  double sum = 0;
  for (std::int64_t first = 0; first < rows.size(0); first += 64) {
    const std::int64_t n = std::min<std::int64_t>(64, rows.size(0) - first);
    const at::Tensor batch = rows.narrow(0, first, n);
    const at::Tensor logits = network.forward(batch.narrow(1, 0, batch.size(1) - 1));
    sum += next_token_loss(logits, batch).item<double>() * static_cast<double>(n);
  }
  return sum / static_cast<double>(rows.size(0));
}

/// How much the tokens beyond the last `known` matter, in nats: the mean of KL(p || p') over
/// windows of `rows`, p' after the same last tokens behind another window's.
double far_effect(const Network& network, const at::Tensor& rows, std::size_t known) {
  const c10::NoGradGuard no_gradient;
  const std::int64_t w = len(network.config().attention_window), far = w - len(known);
  const at::Tensor windows = rows.unfold(1, w, w).reshape({-1, w});
  const at::Tensor others = windows.roll({windows.size(0) / 2}, {0});
  const auto log_chances = [&](const at::Tensor& tokens) {
    return at::log_softmax(network.forward(tokens).select(1, w - 1), -1);
  };
  const at::Tensor before = log_chances(windows);
  const at::Tensor after =
      log_chances(at::cat({others.narrow(1, 0, far), windows.narrow(1, far, w - far)}, 1));
  return (before.exp() * (before - after)).sum(1).mean().item<double>();
}

/// States to bound in a step: `kStates` suffixes of its rows, as many of tokens drawn uniformly.
/// A function of (seed, step).
at::Tensor draw_states(const at::Tensor& rows, const ModelOptions& o, std::size_t vocab,
                       std::size_t step) {
  Random random(mix(o.seed ^ 0x51acULL, step));
  const auto below = [&random](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  const std::int64_t known = len(o.known);
  std::vector<std::int64_t> picks, tokens;
  for (std::int64_t i = 0; i < kStates; ++i) {
    const std::int64_t row = below(rows.size(0));
    const std::int64_t first = below(rows.size(1) - known + 1);
    for (std::int64_t j = 0; j < known; ++j) {
      picks.push_back(row * rows.size(1) + first + j);
      tokens.push_back(below(len(vocab)));
    }
  }
  const auto columns = static_cast<std::size_t>(known);
  const at::Tensor of_rows = tokens_to_torch(picks, columns, rows.device());
  return at::cat({rows.flatten().index_select(0, of_rows.flatten()).view({kStates, known}),
                  tokens_to_torch(tokens, columns, rows.device())});
}

struct StepFigures {
  double loss = 0, slack = 0, range = 0;
};

void block_far(Network& network, const ModelOptions& o) {
  if (*o.far_heads < o.n_heads) {
    network.block_far(*o.far_heads, o.known);
  }
}

StepFigures take_step(Network& network, Adam& adam, const at::Tensor& rows, const ModelOptions& o,
                      std::size_t step) {
  const at::Tensor logits = network.forward(rows.narrow(1, 0, rows.size(1) - 1));
  const at::Tensor loss = next_token_loss(logits, rows);
  at::Tensor total = loss;
  StepFigures figures;
  if (*o.provable > 0) {
    const at::Tensor slack = relaxation_slack(
        network, draw_states(rows, o, network.config().d_vocab, step), *o.far_heads);
    figures.slack = slack.item<double>();
    total = total + *o.provable * slack;
  }
  if (o.range_penalty > 0) {
    const at::Tensor range = network.range_penalty(o.known);
    figures.range = range.item<double>();
    total = total + o.range_penalty * range;
  }
  adam.step(adam.gradients(total), learning_rate(o.lr, step, o.steps), 1.0);
  block_far(network, o);
  figures.loss = loss.item<double>();
  return figures;
}

void write_model(const ModelOptions& o, const Network& network, const Tokenizer& tokenizer) {
  save_transformer(o.out, network.to_transformer());
  write_file_atomic(o.out / "tokenizer.json", tokenizer.json());
}

Scalars final_figures(const ModelOptions& o, const Network& network, const at::Tensor& rows,
                      const TokenText& fit) {
  const c10::NoGradGuard no_gradient;
  std::size_t parameters = 0;
  for (const auto& [name, p] : network.parameters()) {
    parameters += static_cast<std::size_t>(p.numel());
  }
  Scalars figures = {{"validation_loss_nats_per_token", validation_loss(network, rows)},
                     {"validation_tokens",
                      static_cast<double>(rows.size(0)) * static_cast<double>(rows.size(1) - 1)},
                     {"fit_tokens", static_cast<double>(fit.tokens.size())},
                     {"parameters", static_cast<double>(parameters)}};
  if (penalty_is_defined(o) && o.known <= o.window) {
    const at::Tensor states = draw_states(rows, o, network.config().d_vocab, 0);
    figures.emplace_back("relaxation_slack_nats",
                         relaxation_slack(network, states, *o.far_heads).item<double>());
    figures.emplace_back("certified_range", network.range_penalty(o.known).item<double>());
  }
  if (o.known < o.window) {
    figures.emplace_back("far_effect_nats_per_token", far_effect(network, rows, o.known));
  }
  return figures;
}

/// Everything the loop works on.
struct Run {
  const ModelOptions& options;
  const Windows& fit;
  const at::Tensor& validation;
  Network& network;
  Adam& adam;
  RunState& state;
};

/// Steps until the stop rule says so; returns the number of steps done.
std::size_t train_from(std::size_t done, const Run& run, StopRule& stop) {
  const ModelOptions& o = run.options;
  MetricsLog log(o.out, done);
  Progress progress("train model", o.steps);
  const std::size_t first = done;
  const std::size_t chunk = std::max<std::size_t>(1, o.steps / 20);
  const double tokens_per_step = static_cast<double>(o.batch * o.n_ctx);
  std::string validated = "none yet";
  while (!stop.leave(done)) {
    const at::Tensor rows =
        tokens_to_torch(run.fit.draw(o.batch, o.seed, done), o.n_ctx + 1, run.network.device());
    const StepFigures figures = take_step(run.network, run.adam, rows, o, done);
    ++done;
    const double rate = static_cast<double>(done - first) * tokens_per_step / stop.seconds();
    if (done % chunk == 0 || done == o.steps) {
      const double validation = validation_loss(run.network, run.validation);
      validated = fixed(validation, 3);
      log.write(done, {{"loss", figures.loss},
                       {"validation_loss", validation},
                       {"relaxation_slack", figures.slack},
                       {"certified_range", figures.range},
                       {"learning_rate", learning_rate(o.lr, done - 1, o.steps)},
                       {"tokens", static_cast<double>(done) * tokens_per_step},
                       {"tokens_per_second", rate},
                       {"seconds", stop.seconds()}});
    }
    progress.update(done, fixed(rate / 1000, 1) + " k tokens/s, loss " + fixed(figures.loss, 3) +
                              ", validation " + validated);
    run.state.save_if_due(done);
  }
  if (stop.ending() != Ending::finished) {
    run.state.save(done);
  }
  return done;
}

}  // namespace

Outcome train_model(const ModelOptions& o) {
  const at::Device device = open_device(o.device);
  const Setting text = read_text(o);
  const Windows fit(text.fit, o.n_ctx + 1, o.text.string() + " (fit part)");
  const Windows held_out(text.held_out, o.n_ctx + 1, o.text.string() + " (held-out part)");
  const at::Tensor validation =
      tokens_to_torch(held_out.spread(kValidationTokens / o.n_ctx + 1), o.n_ctx + 1, device);
  Network network = Network::random(config_of(o, text.tokenizer.size()), o.seed, device);
  block_far(network, o);
  Adam adam(network.parameters(), 0.9, 0.98, 0.01);
  const std::string options = options_json(o);
  RunState state(o, options, text.corpus_digest, network.parameters(), adam);
  const std::size_t resumed = state.resume();
  for (auto& [name, p] : network.parameters()) {
    p.requires_grad_(true);
  }
  make_directory(o.out);
  StopRule stop(o);
  const std::clock_t cpu_start = std::clock();
  const Run run{o, fit, validation, network, adam, state};
  const std::size_t done = train_from(resumed, run, stop);
  write_model(o, network, text.tokenizer);
  const Scalars figures = final_figures(o, network, validation, text.fit);
  return conclude(
      o, "train model", options, text.corpus_digest, done, stop.ending(), figures,
      {{"seconds", stop.seconds()},
       {"cpu_seconds", static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC}});
}

}  // namespace assay::torch_bridge
