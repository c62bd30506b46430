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
  [[nodiscard]] bool flag(const char* key, bool otherwise) const {
    const Json* value = find(key);
    return value == nullptr ? otherwise : value->as_bool();
  }
  [[nodiscard]] bool states(const char* key) const {  // null counts
    return std::any_of(root_.members.begin(), root_.members.end(),
                       [&](const auto& m) { return m.first == key; });
  }

 private:
  Json root_;
  std::string file_;
};

/// Switches that change the function computed: ignoring one would certify another function.
void refuse_other_functions(const Config& config) {
  for (const char* key : {"parallel_attn_mlp", "gated_mlp", "use_local_attn", "final_rms",
                          "use_qk_norm", "post_embedding_ln", "use_normalization_before_and_after",
                          "shortformer_pos", "scale_attn_by_inverse_layer_idx",
                          "rotary_adjacent_pairs", "use_NTK_by_parts_rope", "use_yarn_rope"}) {
    if (config.flag(key, false)) {
      config.refuse(key, "false");
    }
  }
  for (const char* key : {"attn_scores_soft_cap", "output_logits_soft_cap"}) {
    if (const Json* value = config.find(key); value != nullptr && !(value->as_double() <= 0)) {
      config.refuse(key, "none");
    }
  }
  for (const char* key : {"num_experts", "experts_per_token", "rotary_base_local"}) {
    if (config.find(key) != nullptr) {
      config.refuse(key, "null");
    }
  }
  if (config.find("attention_dir") != nullptr &&
      config.find("attention_dir")->as_text() != "causal") {
    config.refuse("attention_dir", "causal");
  }
  if (config.size("n_layers") != 1) {
    config.refuse("n_layers", "1");
  }
}

/// The value of `key` by its name in the list; refused when absent or not listed.
template <typename T>
T choose(const Config& config, const char* key,
         std::initializer_list<std::pair<const char*, T>> list) {
  const Json* value = config.find(key);
  for (const auto& [name, meaning] : list) {
    if (value != nullptr && value->as_text() == name) {
      return meaning;
    }
  }
  config.refuse(key, "a name of the families that are checked");
}

/// find() treats null as absent, but an absent normalization_type would mean LayerNorm.
/// True: LN; the affine part is read when `affine`.
bool read_normalisation(const Config& config, bool& affine) {
  const char* key = config.states("normalization_type") ? "normalization_type" : "normalization";
  if (!config.states(key) ||
      (config.states("normalization_type") && config.states("normalization"))) {
    config.refuse("normalization_type", "null, LN or LNPre, once");
  }
  if (config.find(key) == nullptr) {
    return false;
  }
  affine = choose<bool>(config, key, {{"LN", true}, {"LNPre", false}});
  return true;
}

/// A positive number of config.json: holds its decimal and the nearest double.
Interval positive(const Config& config, const char* key, double otherwise) {
  const Json* value = config.find(key);
  const double x = value == nullptr ? otherwise : value->as_double();
  if (!(x > 0x1p-100 && x < 0x1p100)) {
    config.refuse(key, "a positive number");
  }
  return {next_down(x), next_up(x)};
}

Interval attention_scale(const Config& config, std::size_t d_head) {
  if (!config.flag("use_attn_scale", true)) {
    return {1.0};
  }
  if (config.is_unset("attn_scale")) {
    return square_root(Interval(static_cast<double>(d_head)));
  }
  return positive(config, "attn_scale", 0);
}

void read_sizes(const Config& config, Network& net) {
  net.d_model = config.size("d_model");
  net.d_head = config.size("d_head");
  net.n_heads = config.is_unset("n_heads") ? net.d_model / net.d_head : config.size("n_heads");
  if (!config.flag("attn_only", false)) {
    net.d_mlp = config.is_unset("d_mlp") ? 4 * net.d_model : config.size("d_mlp");
  }
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

void read_family(const Config& config, Network& net) {
  using P = PositionKind;
  net.positions = choose<P>(config, "positional_embedding_type",
                            {{"standard", P::standard},
                             {"relative_bias", P::relative_bias},
                             {"rotary", P::rotary},
                             {"none", P::none}});
  if (net.positions == P::relative_bias && !config.flag("relative_bias", true)) {
    config.refuse("relative_bias", "true");
  }
  if (!net.attn_only() || config.find("act_fn") != nullptr) {
    net.act = choose<ActKind>(
        config, "act_fn",
        {{"relu", ActKind::relu}, {"gelu", ActKind::gelu}, {"gelu_new", ActKind::gelu_new}});
  }
  net.eps = positive(config, "eps", 1 / 1e5);
  if (net.positions == P::rotary) {
    net.rotary_dim = config.find("rotary_dim") == nullptr ? net.d_head : config.size("rotary_dim");
    net.rotary_base = positive(config, "rotary_base", 10000);
    if (net.rotary_dim % 2 != 0 || net.rotary_dim > net.d_head || !(net.rotary_base.lo() > 1)) {
      config.refuse("rotary_dim", "an even number up to d_head, with rotary_base above 1");
    }
  }
}

/// Takes the tensors that the family has; another one in the file is refused.
class Tensors {
 public:
  explicit Tensors(const Safetensors& file) : file_(file) {}

  void take(const std::string& name, std::vector<float>& into, const Safetensors::Shape& shape) {
    known_.insert(name);
    into = file_.f32(name, shape);
  }
  void take_bias(const std::string& name, std::vector<float>& into,
                 const Safetensors::Shape& shape) {
    if (file_.has(name)) {
      take(name, into, shape);
    } else {
      into.assign(shape.size() == 1 ? shape[0] : shape[0] * shape[1], 0.0F);
    }
  }
  void take_norm(const std::string& name, bool affine, std::size_t d, std::vector<float>& w,
                 std::vector<float>& b) {
    w.assign(d, 1.0F);
    b.assign(d, 0.0F);
    if (affine) {
      take(name + ".w", w, {d});
      take(name + ".b", b, {d});
    }
  }
  void refuse_others(const std::string& weights_file) const {
    for (const std::string& name : file_.names()) {
      if (!known_.contains(name)) {
        throw Reject("model", "unknown tensor " + name, weights_file);
      }
    }
  }

 private:
  const Safetensors& file_;
  std::set<std::string> known_;
};

void read_attention(Tensors& tensors, Network& net) {
  const std::size_t h = net.n_heads, d = net.d_model, e = net.d_head;
  const std::string attn = "blocks.0.attn.";
  tensors.take("embed.W_E", net.W_E, {net.d_vocab, d});
  tensors.take(attn + "W_Q", net.W_Q, {h, d, e});
  tensors.take(attn + "W_K", net.W_K, {h, d, e});
  tensors.take(attn + "W_V", net.W_V, {h, d, e});
  tensors.take(attn + "W_O", net.W_O, {h, e, d});
  tensors.take_bias(attn + "b_Q", net.b_Q, {h, e});
  tensors.take_bias(attn + "b_K", net.b_K, {h, e});
  tensors.take_bias(attn + "b_V", net.b_V, {h, e});
  tensors.take_bias(attn + "b_O", net.b_O, {d});
}

}  // namespace

Network read_network(const std::string& config_bytes, const std::string& config_file,
                     std::string weights, const std::string& weights_file) {
  const Config config(config_bytes, config_file);
  refuse_other_functions(config);
  Network net;
  bool affine = false;
  net.normalised = read_normalisation(config, affine);
  read_sizes(config, net);
  read_family(config, net);
  const Safetensors file(std::move(weights), weights_file);
  Tensors tensors(file);
  read_attention(tensors, net);
  const std::size_t d = net.d_model, f = net.d_mlp;
  if (net.standard()) {
    tensors.take("pos_embed.W_pos", net.W_pos, {net.n_ctx, d});
  }
  if (config.flag("relative_bias", net.positions == PositionKind::relative_bias)) {
    tensors.take("blocks.0.attn.rel_bias", net.rel_bias, {net.n_heads, net.span()});
  }
  if (!net.attn_only()) {
    const std::string mlp = "blocks.0.mlp.";
    tensors.take(mlp + "W_in", net.W_in, {d, f});
    tensors.take(mlp + "W_out", net.W_out, {f, d});
    tensors.take_bias(mlp + "b_in", net.b_in, {f});
    tensors.take_bias(mlp + "b_out", net.b_out, {d});
  }
  tensors.take("unembed.W_U", net.W_U, {d, net.d_vocab_out});
  tensors.take_bias("unembed.b_U", net.b_U, {net.d_vocab_out});
  if (net.normalised) {
    tensors.take_norm("blocks.0.ln1", affine, d, net.ln1_w, net.ln1_b);
    if (!net.attn_only()) {
      tensors.take_norm("blocks.0.ln2", affine, d, net.ln2_w, net.ln2_b);
    }
    tensors.take_norm("ln_final", affine, d, net.ln_final_w, net.ln_final_b);
  }
  tensors.refuse_others(weights_file);
  return net;
}

}  // namespace assay_check
