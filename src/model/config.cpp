#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/model/transformer.hpp"
#include "json_fields.hpp"

namespace assay {
namespace {

/// TransformerLens switches that change the function computed. A model that turns one on is
/// refused by name: ignoring it would certify another function.
void refuse_unsupported(const JsonFields& fields) {
  for (const char* key :
       {"parallel_attn_mlp", "gated_mlp", "use_local_attn", "final_rms", "use_qk_norm",
        "post_embedding_ln", "use_normalization_before_and_after", "rotary_adjacent_pairs",
        "use_NTK_by_parts_rope", "use_yarn_rope", "shortformer_pos"}) {
    if (fields.boolean(key).value_or(false)) {
      fields.refuse(key, "false (not supported)");
    }
  }
  for (const char* key : {"attn_scores_soft_cap", "output_logits_soft_cap"}) {
    if (fields.number(key).value_or(-1.0) > 0) {
      fields.refuse(key, "none (not supported)");
    }
  }
  if (fields.text("attention_dir").value_or("causal") != "causal") {
    fields.refuse("attention_dir", "\"causal\"");
  }
  for (const char* key : {"num_experts", "experts_per_token"}) {
    if (fields.has(key)) {
      fields.refuse(key, "null (not supported)");
    }
  }
}

ActFn act_fn_of(const JsonFields& fields, bool attn_only) {
  const auto name = fields.text("act_fn");
  if (name == "relu" || (!name && attn_only)) {
    return ActFn::relu;
  }
  if (name == "gelu") {
    return ActFn::gelu_erf;
  }
  if (name == "gelu_new") {
    return ActFn::gelu_tanh;
  }
  fields.refuse("act_fn", "relu, gelu or gelu_new");
}

void read_norm(const JsonFields& fields, const nlohmann::json& root, TransformerConfig& config) {
  // Absent means LN, as in TransformerLens; an explicit null means no normalisation.
  const char* key = root.contains("normalization_type") ? "normalization_type" : "normalization";
  if (!root.contains(key)) {
    config.norm = NormKind::layer_norm;
    return;
  }
  const auto name = fields.text(key);
  if (!name) {
    config.norm = NormKind::none;
  } else if (*name == "LN" || *name == "LNPre") {
    config.norm = NormKind::layer_norm;
    config.norm_affine = *name == "LN";
  } else {
    fields.refuse(
        key,
        "null, \"LN\" or \"LNPre\" (of RMSNorm models `assay bound --site` bounds what reads a "
        "normalised site, at any depth)");
  }
}

void read_positions(const JsonFields& fields, TransformerConfig& config) {
  const auto bias = fields.boolean("relative_bias");
  const auto kind = fields.text("positional_embedding_type")
                        .value_or(bias.value_or(false) ? "relative_bias" : "standard");
  if (kind == "standard") {
    config.positions = PosKind::standard;
  } else if (kind == "relative_bias") {
    config.positions = PosKind::relative;
  } else if (kind == "rotary") {
    config.positions = PosKind::rotary;
  } else if (kind == "none") {
    config.positions = PosKind::none;
  } else {
    fields.refuse("positional_embedding_type", "standard, relative_bias, rotary or none");
  }
  const bool relative = config.positions == PosKind::relative;
  config.relative_bias = bias.value_or(relative);
  if (relative && !config.relative_bias) {
    fields.refuse("relative_bias", "true, as positional_embedding_type says");
  }
  config.attention_window = fields.size("attention_window").value_or(0);
  if (fields.has("attention_window") &&
      (config.attention_window == 0 || config.attention_window > config.n_ctx)) {
    fields.refuse("attention_window", "null or an integer from 1 to n_ctx");
  }
  if (config.positions == PosKind::rotary) {
    config.rotary_dim = fields.size("rotary_dim").value_or(config.d_head);
    config.rotary_base = fields.number("rotary_base").value_or(10000.0);
    if (config.rotary_dim == 0 || config.rotary_dim > config.d_head || config.rotary_dim % 2 != 0) {
      fields.refuse("rotary_dim", "an even integer from 2 to d_head");
    }
    if (!(config.rotary_base > 1)) {
      fields.refuse("rotary_base", "a number above 1");
    }
  }
}

void read_attn_scale(const JsonFields& fields, TransformerConfig& config) {
  const bool scaled = fields.boolean("use_attn_scale").value_or(true);
  const double stated = fields.number("attn_scale").value_or(-1.0);  // -1: TransformerLens's unset
  if (stated <= 0 && stated != -1.0) {
    fields.refuse("attn_scale", "a positive number");
  }
  config.attn_scale = !scaled      ? 1.0
                      : stated > 0 ? stated
                                   : std::sqrt(static_cast<double>(config.d_head));
}

void read_sizes(const JsonFields& fields, TransformerConfig& config) {
  config.n_layers = fields.need_size("n_layers");
  if (config.n_layers != 1) {
    fields.refuse("n_layers",
                  "1 (only one-layer models are executed here; at any depth, `assay bound --site` "
                  "bounds logits, readouts and features that read a normalised site over every "
                  "input, finds nullified ones and proves tokens that are never argmax)");
  }
  config.attn_only = fields.boolean("attn_only").value_or(false);
  config.d_model = fields.need_size("d_model");
  config.n_ctx = fields.need_size("n_ctx");
  config.d_head = fields.need_size("d_head");
  config.n_heads =
      fields.has("n_heads") ? fields.need_size("n_heads") : config.d_model / config.d_head;
  if (config.n_heads == 0) {
    fields.refuse("n_heads", "a positive integer");
  }
  if (!config.attn_only) {
    config.d_mlp = fields.has("d_mlp") ? fields.need_size("d_mlp") : 4 * config.d_model;
  }
  config.d_vocab = fields.need_size("d_vocab");
  const bool stated = fields.number("d_vocab_out").value_or(-1.0) != -1.0;  // -1: unset, as above
  config.d_vocab_out = stated ? fields.need_size("d_vocab_out") : config.d_vocab;
  if (const auto kv = fields.size("n_key_value_heads"); kv && *kv != config.n_heads) {
    fields.refuse("n_key_value_heads", "null or n_heads (grouped queries are not supported)");
  }
}

}  // namespace

TransformerConfig parse_config(const std::string& json, const std::string& file) {
  const nlohmann::json root = parse_strict_json(json, file);
  const JsonFields fields(root, file);
  refuse_unsupported(fields);
  TransformerConfig config;
  read_sizes(fields, config);
  config.act_fn = act_fn_of(fields, config.attn_only);
  read_norm(fields, root, config);
  read_positions(fields, config);
  read_attn_scale(fields, config);
  config.eps = fields.number("eps").value_or(1e-5);
  if (!(config.eps > 0)) {
    fields.refuse("eps", "a positive number");
  }
  config.bos = fields.size("bos");
  if (config.bos && *config.bos >= config.d_vocab) {
    fields.refuse("bos", "null or a token id below d_vocab");
  }
  return config;
}

std::string config_json(const TransformerConfig& config) {
  using nlohmann::ordered_json;
  const auto act = config.act_fn == ActFn::relu       ? "relu"
                   : config.act_fn == ActFn::gelu_erf ? "gelu"
                                                      : "gelu_new";
  const auto positions = config.positions == PosKind::standard   ? "standard"
                         : config.positions == PosKind::relative ? "relative_bias"
                         : config.positions == PosKind::rotary   ? "rotary"
                                                                 : "none";
  ordered_json root = {{"n_layers", config.n_layers},
                       {"d_model", config.d_model},
                       {"n_ctx", config.n_ctx},
                       {"d_head", config.d_head},
                       {"n_heads", config.n_heads},
                       {"d_mlp", config.d_mlp},
                       {"d_vocab", config.d_vocab},
                       {"d_vocab_out", config.d_vocab_out},
                       {"act_fn", act},
                       {"normalization_type", nullptr},
                       {"attn_only", config.attn_only},
                       {"positional_embedding_type", positions},
                       {"attention_window", nullptr},
                       {"relative_bias", config.relative_bias},
                       {"eps", config.eps},
                       {"bos", nullptr}};
  if (config.norm == NormKind::layer_norm) {
    root["normalization_type"] = config.norm_affine ? "LN" : "LNPre";
  }
  if (config.attention_window != 0) {
    root["attention_window"] = config.attention_window;
  }
  if (config.attn_scale > 0) {
    root["attn_scale"] = config.attn_scale;
  }
  if (config.bos) {
    root["bos"] = *config.bos;
  }
  if (config.positions == PosKind::rotary) {
    root["rotary_dim"] = config.rotary_dim;
    root["rotary_base"] = config.rotary_base;
  }
  return root.dump(2) + "\n";
}

}  // namespace assay
