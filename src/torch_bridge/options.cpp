#include "assay/torch_bridge/options.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "assay/base/errors.hpp"

namespace assay::torch_bridge {
namespace {

constexpr std::size_t kMaxSize = 1U << 20U;

void refuse(const std::string& option, const std::string& expected, const std::string& found) {
  throw UsageError("--" + option + ": expected " + expected + ", found " + found);
}

void between(const std::string& option, std::size_t value, std::size_t lo, std::size_t hi) {
  if (value < lo || value > hi) {
    refuse(option, std::to_string(lo) + " to " + std::to_string(hi), std::to_string(value));
  }
}

void one_of(const std::string& option, const std::string& value,
            std::initializer_list<const char*> words) {
  std::string list;
  for (const char* word : words) {
    if (value == word) {
      return;
    }
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  refuse(option, "one of " + list, value);
}

void non_negative(const std::string& option, double value) {
  if (!(value >= 0) || !std::isfinite(value)) {
    refuse(option, "a finite number >= 0", std::to_string(value));
  }
}

void resolve_run(RunOptions& run, std::size_t steps, std::size_t batch, double lr) {
  run.steps = run.steps == 0 ? steps : run.steps;
  run.batch = run.batch == 0 ? batch : run.batch;
  run.lr = run.lr == 0 ? lr : run.lr;
  between("steps", run.steps, 1, std::size_t{1} << 40U);
  between("batch", run.batch, 1, kMaxSize);
  non_negative("lr", run.lr);
  non_negative("seconds", run.seconds);
  one_of("device", run.device, {"auto", "cpu", "cuda"});
  if ((run.resume || run.pause_at > 0) && run.checkpoint.empty()) {
    throw UsageError("--resume and --pause-at need --checkpoint FILE");
  }
}

nlohmann::ordered_json run_json(const RunOptions& run) {
  return {{"text", run.text.string()},
          {"steps", run.steps},
          {"batch", run.batch},
          {"lr", run.lr},
          {"seed", run.seed}};
}

void resolve_provability(ModelOptions& o) {
  const bool has_far = penalty_is_defined(o) && o.known < o.window;
  o.provable = o.provable.value_or(has_far ? kProvable : 0.0);
  o.far_heads = o.far_heads.value_or(has_far ? 1 : o.n_heads);
  non_negative("provable", *o.provable);
  non_negative("range-penalty", o.range_penalty);
  between("far-heads", *o.far_heads, 1, o.n_heads);
  for (const auto& [name, asked] : {std::pair{"provable", *o.provable > 0},
                                    {"range-penalty", o.range_penalty > 0},
                                    {"far-heads", *o.far_heads < o.n_heads}}) {
    if (asked && !penalty_is_defined(o)) {
      throw UsageError("--" + std::string(name) +
                       " needs --positions relative, no --layer-norm and --window > 0: what lies "
                       "beyond the known tokens is not bounded in training for this model");
    }
    if (asked) {
      between("known", o.known, 1, o.window);
    }
  }
}

}  // namespace

bool penalty_is_defined(const ModelOptions& options) {
  return options.positions == "relative" && !options.layer_norm && options.window > 0;
}

void resolve(ModelOptions& o) {
  resolve_run(o, 2600, 32, 4e-3);
  one_of("tokenizer", o.tokenizer, {"char", "byte"});
  one_of("positions", o.positions, {"relative", "standard", "none"});
  between("vocab", o.vocab, 2, 128);
  between("d-model", o.d_model, 1, 1U << 14U);
  between("n-heads", o.n_heads, 1, o.d_model);
  between("n-ctx", o.n_ctx, 2, 1U << 14U);
  between("window", o.window, 0, o.n_ctx);
  if (o.d_head == 0) {
    if (o.d_model % o.n_heads != 0) {
      refuse("n-heads", "a divisor of --d-model " + std::to_string(o.d_model) + " (or --d-head)",
             std::to_string(o.n_heads));
    }
    o.d_head = o.d_model / o.n_heads;
  }
  o.d_mlp = o.d_mlp == 0 ? 4 * o.d_model : o.d_mlp;
  between("d-head", o.d_head, 1, 1U << 14U);
  between("d-mlp", o.d_mlp, 1, 1U << 16U);
  resolve_provability(o);
}

ModelOptions without_provability(ModelOptions o) {
  o.provable = 0;
  o.range_penalty = 0;
  o.far_heads = o.n_heads;
  return o;
}

void resolve(SaeOptions& o) {
  one_of("kind", o.kind, {"sae", "transcoder"});
  one_of("recipe", o.recipe, {"batchtopk", "l1"});
  const bool l1 = o.recipe == "l1";
  resolve_run(o, 1500, 2048, l1 ? 1e-3 : 2e-3);
  between("d-sae", o.d_sae, 1, 1U << 20U);
  between("k", o.k, 1, o.d_sae);
  non_negative("l1", o.l1);
  non_negative("aux", o.aux);
  if (!l1 && o.l1 > 0) {
    throw UsageError("--l1 belongs to --recipe l1");
  }
  o.l1 = l1 && o.l1 == 0 ? 0.05 : o.l1;
}

TransformerConfig config_of(const ModelOptions& o, std::size_t d_vocab) {
  TransformerConfig c;
  c.d_model = o.d_model;
  c.n_ctx = o.n_ctx;
  c.d_head = o.d_head;
  c.n_heads = o.n_heads;
  c.d_mlp = o.d_mlp;
  c.d_vocab = d_vocab;
  c.d_vocab_out = d_vocab;
  c.norm = o.layer_norm ? NormKind::layer_norm : NormKind::none;
  c.positions = o.positions == "relative"   ? PosKind::relative
                : o.positions == "standard" ? PosKind::standard
                                            : PosKind::none;
  c.relative_bias = c.positions == PosKind::relative;
  c.attention_window = o.window;
  c.attn_scale = std::sqrt(static_cast<double>(o.d_head));
  return c;
}

std::string options_json(const ModelOptions& o) {
  nlohmann::ordered_json j = run_json(o);
  j["tokenizer"] = o.tokenizer;
  j["vocab"] = o.vocab;
  j["d-model"] = o.d_model;
  j["n-heads"] = o.n_heads;
  j["d-head"] = o.d_head;
  j["d-mlp"] = o.d_mlp;
  j["window"] = o.window;
  j["n-ctx"] = o.n_ctx;
  j["positions"] = o.positions;
  j["layer-norm"] = o.layer_norm;
  j["provable"] = o.provable.value_or(0.0);
  j["far-heads"] = o.far_heads.value_or(o.n_heads);
  j["range-penalty"] = o.range_penalty;
  j["known"] = o.known;
  return j.dump();
}

std::string options_json(const SaeOptions& o) {
  nlohmann::ordered_json j = run_json(o);
  j["model"] = o.model.string();
  j["kind"] = o.kind;
  j["recipe"] = o.recipe;
  j["d-sae"] = o.d_sae;
  if (o.recipe == "l1") {
    j["l1"] = o.l1;
  } else {
    j["k"] = o.k;
    j["aux"] = o.aux;
  }
  return j.dump();
}

double learning_rate(double peak, std::size_t step, std::size_t steps) {
  const std::size_t warm_up = std::min<std::size_t>(100, std::max<std::size_t>(steps / 10, 1));
  if (step < warm_up) {
    return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  }
  const std::size_t half = steps / 2;
  if (step < half) {
    return peak;
  }
  const double t = static_cast<double>(step - half) / static_cast<double>(steps - half);
  const double lowest = 0.02;
  return peak * (lowest + (1 - lowest) * 0.5 * (1 + std::cos(std::numbers::pi * t)));
}

}  // namespace assay::torch_bridge
