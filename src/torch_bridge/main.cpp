#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>

#include "assay/base/progress.hpp"
#include "assay/torch_bridge/sample.hpp"
#include "assay/torch_bridge/train.hpp"
#include "assay/torch_bridge/twin.hpp"

namespace assay::torch_bridge {
namespace {

struct CommandLine {
  bool json = false;
  bool quiet = false;
  ModelOptions model;
  double provable = 0;
  std::size_t far_heads = 0;
  SaeOptions sae;
  TwinOptions twin;
  std::string selftest_model;
  std::string selftest_device = "cpu";
  SampleOptions sample;
  Outcome outcome;
};

/// OpenBLAS and OpenMP read these when they are loaded, before main: without them a second
/// thread spins and training is ten times slower. So the program starts itself once more.
void pin_threads(char** argv) {
  if (std::getenv("OPENBLAS_NUM_THREADS") != nullptr && std::getenv("OMP_WAIT_POLICY") != nullptr) {
    return;
  }
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  setenv("OMP_NUM_THREADS", "1", 0);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv("/proc/self/exe", argv);  // on failure: go on, only slower
}

void add_run_options(CLI::App& sub, RunOptions& run) {
  sub.add_option("--text", run.text, "Corpus: a file or a directory")->required();
  sub.add_option("--out", run.out, "Directory to write")->required();
  sub.add_option("--steps", run.steps, "Optimizer steps (0 = the default)");
  sub.add_option("--seconds", run.seconds, "Wall-clock safety stop (0 = none); not reproducible");
  sub.add_option("--seed", run.seed, "Seed of everything random")->capture_default_str();
  sub.add_option("--device", run.device, "auto, cpu or cuda")->capture_default_str();
  sub.add_option("--checkpoint", run.checkpoint, "File to save the run's state to");
  sub.add_option("--checkpoint-every", run.checkpoint_every, "Steps between checkpoints")
      ->capture_default_str();
  sub.add_flag("--resume", run.resume, "Continue from the checkpoint, bit for bit");
  sub.add_option("--pause-at", run.pause_at,
                 "Save a checkpoint after this step and stop (exit 11)");
  sub.add_option("--lr", run.lr, "Peak learning rate (0 = the default)");
}

void add_model_command(CLI::App& train, CommandLine& line) {
  CLI::App* sub = train.add_subcommand("model", "Train a one-layer transformer");
  ModelOptions& o = line.model;
  add_run_options(*sub, o);
  sub->add_option("--batch", o.batch, "Windows per step (default 32)");
  sub->add_option("--tokenizer", o.tokenizer, "char or byte")->capture_default_str();
  sub->add_option("--vocab", o.vocab, "Size of the character vocabulary")->capture_default_str();
  sub->add_option("--d-model", o.d_model, "Width of the residual stream")->capture_default_str();
  sub->add_option("--n-heads", o.n_heads, "Attention heads")->capture_default_str();
  sub->add_option("--d-head", o.d_head, "Width of a head (0 = d-model / n-heads)")
      ->capture_default_str();
  sub->add_option("--d-mlp", o.d_mlp, "MLP neurons (0 = 4 d-model)")->capture_default_str();
  sub->add_option("--window", o.window, "Attention window in tokens (0 = full)")
      ->capture_default_str();
  sub->add_option("--n-ctx", o.n_ctx, "Tokens per training window")->capture_default_str();
  sub->add_option("--positions", o.positions, "relative, standard or none")->capture_default_str();
  sub->add_flag("--layer-norm", o.layer_norm, "LayerNorm before attention, MLP and unembedding");
  sub->add_option("--provable", line.provable,
                  "Weight of the relaxation's slack (default 0.004 where defined, else 0)");
  sub->add_option("--far-heads", line.far_heads,
                  "Heads that look beyond the known tokens (default 1 where defined, else all)");
  sub->add_option("--range-penalty", o.range_penalty,
                  "Weight of the certified range: forgets what is far instead")
      ->capture_default_str();
  sub->add_option("--known", o.known, "Last tokens that a state knows")->capture_default_str();
  sub->callback([sub, &line] {
    if (sub->count("--provable") > 0) {
      line.model.provable = line.provable;
    }
    if (sub->count("--far-heads") > 0) {
      line.model.far_heads = line.far_heads;
    }
    resolve(line.model);
    line.outcome = train_model(line.model);
  });
}

void add_sae_command(CLI::App& train, CommandLine& line) {
  CLI::App* sub = train.add_subcommand("sae", "Train a sparse autoencoder or a transcoder");
  SaeOptions& o = line.sae;
  add_run_options(*sub, o);
  sub->add_option("--model", o.model, "Model directory")->required();
  sub->add_option("--batch", o.batch, "Tokens per step (default 2048)");
  sub->add_option("--kind", o.kind, "sae (blocks.0.mlp.hook_post) or transcoder")
      ->capture_default_str();
  sub->add_option("--recipe", o.recipe, "batchtopk (saved as JumpReLU) or l1 (ReLU)")
      ->capture_default_str();
  sub->add_option("--d-sae", o.d_sae, "Number of features")->capture_default_str();
  sub->add_option("--k", o.k, "Mean features on per token (batchtopk)")->capture_default_str();
  sub->add_option("--l1", o.l1, "Sparsity coefficient (l1; 0 = the default)");
  sub->add_option("--aux", o.aux, "Weight of the dead features' loss (batchtopk)")
      ->capture_default_str();
  sub->callback([&line] {
    resolve(line.sae);
    line.outcome = train_sae(line.sae);
  });
}

void add_twin_command(CLI::App& train, CommandLine& line) {
  CLI::App* sub =
      train.add_subcommand("twin", "Train a model's twin freely: what provability costs, in nats");
  TwinOptions& o = line.twin;
  sub->add_option("--model", o.model, "Model directory; price.json or gain.json is written into it")
      ->required();
  sub->add_option("--hard-window", o.hard_window,
                  "Give the twin this attention window instead: what far tokens are worth");
  sub->add_option("--out", o.out, "Directory to write the twin to")->required();
  sub->add_option("--text", o.text, "The model's text, where it is not where it was");
  sub->add_option("--device", o.device, "auto, cpu or cuda")->capture_default_str();
  sub->callback([&line] { line.outcome = train_twin(line.twin); });
}

void add_selftest_command(CLI::App& app, CommandLine& line) {
  CLI::App* sub =
      app.add_subcommand("selftest", "Compare LibTorch with the reference forward pass");
  sub->add_option("--model", line.selftest_model, "Model directory")->required();
  sub->add_option("--device", line.selftest_device, "auto, cpu or cuda")->capture_default_str();
  sub->callback([&line] { line.outcome = selftest(line.selftest_model, line.selftest_device); });
}

void add_sample_command(CLI::App& app, CommandLine& line) {
  CLI::App* sub =
      app.add_subcommand("sample", "Draw runs of a model of any depth (for assay sample)");
  SampleOptions& o = line.sample;
  sub->add_option("--model", o.model, "Model directory")->required();
  sub->add_option("--request", o.request, "What to draw, as assay sample writes it")->required();
  sub->add_option("--out", o.out, "JSON lines to write")->required();
  sub->add_option("--device", o.device, "auto, cpu or cuda")->capture_default_str();
  sub->callback([&line] { line.outcome = sample(line.sample); });
}

int fail(const CommandLine& line, ExitCode code, const std::string& message) {
  std::fprintf(stderr, "assay-torch: %s\n", message.c_str());
  if (line.json) {
    const nlohmann::ordered_json object = {{"error", message},
                                           {"exitCode", static_cast<int>(code)}};
    std::printf("%s\n",
                object.dump(1, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
  }
  return static_cast<int>(code);
}

int finish(const CommandLine& line) {
  const int code = static_cast<int>(line.outcome.code);
  if (line.json) {
    auto object = nlohmann::ordered_json::parse(line.outcome.json);
    object["exitCode"] = code;
    std::printf("%s\n",
                object.dump(1, ' ', true, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n", line.outcome.text.c_str());
  }
  return code;
}

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Training and sampling for Assay: the only program that links LibTorch."};
  app.name("assay-torch");
  app.set_version_flag("--version", "assay-torch " ASSAY_VERSION);
  app.add_flag("--json", line.json, "Print one JSON object on stdout");
  app.add_flag("--quiet", line.quiet, "No progress on stderr");
  app.require_subcommand(1);
  app.fallthrough();
  CLI::App* train = app.add_subcommand("train", "Train a model or a dictionary of features");
  train->require_subcommand(1);
  add_model_command(*train, line);
  add_sae_command(*train, line);
  add_twin_command(*train, line);
  add_selftest_command(app, line);
  add_sample_command(app, line);
  app.parse_complete_callback([&line] {
    set_progress(!line.quiet);
    catch_interrupts();
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool informative = e.get_exit_code() == 0;  // --help, --version
    app.exit(e);
    return informative ? 0 : static_cast<int>(ExitCode::usage);
  } catch (const Error& e) {
    return fail(line, e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(line, ExitCode::internal, "out of memory");
  } catch (const std::exception& e) {
    return fail(line, ExitCode::internal, std::string("internal error: ") + e.what());
  }
  return finish(line);
}

}  // namespace
}  // namespace assay::torch_bridge

int main(int argc, char** argv) {
  assay::torch_bridge::pin_threads(argv);
  return assay::torch_bridge::run(argc, argv);
}
