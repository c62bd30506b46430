#include "network.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "json.hpp"
#include "reject.hpp"
#include "safetensors.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 20;

class Config {
 public:
  Config(const std::string& bytes, std::string file)
      : root_(parse_json(bytes, file)), file_(std::move(file)) {}

  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const {
    throw Reject("model", key + ": expected " + expected, file_);
  }
  [[nodiscard]] const Json* find(const char* key) const { return root_.find(key); }
  [[nodiscard]] std::size_t size(const char* key) const {
    const std::uint64_t value = root_.at(key).as_natural();
    if (value == 0 || value > kMaxSize) {
      refuse(key, "a number from 1 to " + std::to_string(kMaxSize));
    }
    return static_cast<std::size_t>(value);
  }
  [[nodiscard]] bool is_unset(
      const char* key) const {  // absent, null, or the -1 of TransformerLens
    const Json* value = find(key);
    return value == nullptr || (value->kind == Json::Kind::number && value->as_double() == -1);
  }
  void need_text(const char* key, const char* expected) const {
    const Json* value = find(key);
    if (value == nullptr || value->as_text() != expected) {
      refuse(key, expected);
    }
  }

 private:
  Json root_;
  std::string file_;
};

/// Switches that change the function computed: ignoring one would certify another function.
void refuse_other_functions(const Config& config) {
  for (const char* key :
       {"attn_only", "parallel_attn_mlp", "gated_mlp", "use_local_attn", "final_rms", "use_qk_norm",
        "post_embedding_ln", "use_normalization_before_and_after", "shortformer_pos",
        "scale_attn_by_inverse_layer_idx"}) {
    if (const Json* value = config.find(key); value != nullptr && value->as_bool()) {
      config.refuse(key, "false");
    }
  }
  for (const char* key : {"attn_scores_soft_cap", "output_logits_soft_cap"}) {
    if (const Json* value = config.find(key); value != nullptr && !(value->as_double() <= 0)) {
      config.refuse(key, "none");
    }
  }
  for (const char* key : {"num_experts", "experts_per_token"}) {
    if (config.find(key) != nullptr) {
      config.refuse(key, "null");
    }
  }
  if (config.find("attention_dir") != nullptr) {
    config.need_text("attention_dir", "causal");
  }
  if (config.size("n_layers") != 1) {
    config.refuse("n_layers", "1");
  }
  config.need_text("act_fn", "relu");
  config.need_text("positional_embedding_type", "relative_bias");
  if (const Json* bias = config.find("relative_bias"); bias != nullptr && !bias->as_bool()) {
    config.refuse("relative_bias", "true");
  }
}

/// find() treats null as absent, but an absent normalization_type would mean LayerNorm.
void need_no_norm(const std::string& bytes, const Config& config, const std::string& file) {
  const Json root = parse_json(bytes, file);
  const bool stated = std::any_of(root.members.begin(), root.members.end(), [](const auto& m) {
    return m.name == "normalization_type" || m.name == "normalization";
  });
  if (!stated || config.find("normalization_type") != nullptr ||
      config.find("normalization") != nullptr) {
    config.refuse("normalization_type", "null");
  }
}

Interval attention_scale(const Config& config, std::size_t d_head) {
  if (const Json* use = config.find("use_attn_scale"); use != nullptr && !use->as_bool()) {
    return {1.0};
  }
  if (config.is_unset("attn_scale")) {
    return square_root(Interval(static_cast<double>(d_head)));
  }
  const double scale = config.find("attn_scale")->as_double();
  if (!(scale > 0x1p-100 && scale < 0x1p100)) {
    config.refuse("attn_scale", "a positive number");
  }
  return {next_down(scale), next_up(scale)};  // holds the decimal and its nearest double
}

void read_sizes(const Config& config, Network& net) {
  net.d_model = config.size("d_model");
  net.d_head = config.size("d_head");
  net.n_heads = config.is_unset("n_heads") ? net.d_model / net.d_head : config.size("n_heads");
  net.d_mlp = config.is_unset("d_mlp") ? 4 * net.d_model : config.size("d_mlp");
  net.d_vocab = config.size("d_vocab");
  net.d_vocab_out = config.is_unset("d_vocab_out") ? net.d_vocab : config.size("d_vocab_out");
  net.n_ctx = config.size("n_ctx");
  net.window = config.find("attention_window") == nullptr ||
                       config.find("attention_window")->as_natural() == 0
                   ? 0
                   : config.size("attention_window");
  if (config.find("n_key_value_heads") != nullptr &&
      config.size("n_key_value_heads") != net.n_heads) {
    config.refuse("n_key_value_heads", "null or n_heads");
  }
  if (net.n_heads == 0 || net.d_vocab * net.n_heads * net.d_model > std::size_t{1} << 27) {
    config.refuse("d_vocab", "a model within the checker's limits");
  }
  net.scale = attention_scale(config, net.d_head);
}

}  // namespace

std::vector<Interval> Network::neuron_direction(std::size_t j) const {
  std::vector<Interval> g;
  for (std::size_t i = 0; i < d_model; ++i) {
    g.emplace_back(static_cast<double>(W_in[i * d_mlp + j]));
  }
  return g;
}

Network read_network(const std::string& config_bytes, const std::string& config_file,
                     std::string weights, const std::string& weights_file) {
  const Config config(config_bytes, config_file);
  refuse_other_functions(config);
  need_no_norm(config_bytes, config, config_file);
  Network net;
  read_sizes(config, net);
  const Safetensors file(std::move(weights), weights_file);
  const std::size_t h = net.n_heads, d = net.d_model, e = net.d_head, f = net.d_mlp;
  std::set<std::string> known;
  const auto take = [&](const std::string& name, std::vector<float>& into,
                        const Safetensors::Shape& shape) {
    known.insert(name);
    into = file.f32(name, shape);
  };
  const auto take_bias = [&](const std::string& name, std::vector<float>& into,
                             const Safetensors::Shape& shape) {
    if (file.has(name)) {
      take(name, into, shape);
    } else {
      into.assign(shape.size() == 1 ? shape[0] : shape[0] * shape[1], 0.0F);
    }
  };
  const std::string attn = "blocks.0.attn.", mlp = "blocks.0.mlp.";
  take("embed.W_E", net.W_E, {net.d_vocab, d});
  take(attn + "W_Q", net.W_Q, {h, d, e});
  take(attn + "W_K", net.W_K, {h, d, e});
  take(attn + "W_V", net.W_V, {h, d, e});
  take(attn + "W_O", net.W_O, {h, e, d});
  take(attn + "rel_bias", net.rel_bias, {h, net.span()});
  take(mlp + "W_in", net.W_in, {d, f});
  take(mlp + "W_out", net.W_out, {f, d});
  take("unembed.W_U", net.W_U, {d, net.d_vocab_out});
  take_bias(attn + "b_Q", net.b_Q, {h, e});
  take_bias(attn + "b_K", net.b_K, {h, e});
  take_bias(attn + "b_V", net.b_V, {h, e});
  take_bias(attn + "b_O", net.b_O, {d});
  take_bias(mlp + "b_in", net.b_in, {f});
  take_bias(mlp + "b_out", net.b_out, {d});
  take_bias("unembed.b_U", net.b_U, {net.d_vocab_out});
  for (const std::string& name : file.names()) {
    if (!known.contains(name)) {
      throw Reject("model", "unknown tensor " + name, weights_file);
    }
  }
  return net;
}

}  // namespace assay_check
