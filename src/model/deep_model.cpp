#include "assay/model/deep_model.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"
#include "json_fields.hpp"

namespace assay {
namespace {

constexpr std::size_t kMostLayers = 1000;

/// Everything but depth and RMSNorm is read, and refused, as for one layer.
void read_config(const std::string& bytes, const std::string& file, DeepModel& model) {
  nlohmann::json root = parse_strict_json(bytes, file);
  std::size_t layers = 0;
  {
    const JsonFields fields(root, file);
    layers = fields.need_size("n_layers");
    if (layers == 0 || layers > kMostLayers) {
      fields.refuse("n_layers", "1 to " + std::to_string(kMostLayers));
    }
    const char* key = root.contains("normalization_type") ? "normalization_type" : "normalization";
    const auto norm = root.contains(key) ? fields.text(key) : std::nullopt;
    if (norm == "RMS" || norm == "RMSPre") {
      model.rms = true;
      root[key] = norm == "RMS" ? "LN" : "LNPre";
    }
  }
  root["n_layers"] = 1;
  model.config = parse_config(root.dump(), file);
  model.config.n_layers = layers;
}

/// Takes tensors out of a file one by one.
class Weights {
 public:
  Weights(SafetensorsFile file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  Tensor take(const std::string& tensor, const std::vector<std::size_t>& shape) {
    const auto node = file_.floats.extract(tensor);
    if (!node) {
      throw InputError(name_, visible(tensor), "a float tensor " + shape_text(shape), "none");
    }
    check(tensor, node.mapped(), shape);
    return node.mapped();
  }
  Tensor take_or_zeros(const std::string& tensor, const std::vector<std::size_t>& shape) {
    return file_.floats.contains(tensor) ? take(tensor, shape) : zeros(shape);
  }
  /// What TransformerLens stores beside the weights carries no parameter; anything else is refused.
  void refuse_rest(std::size_t layers) const {
    const auto refuse = [&](const std::string& tensor) {
      for (std::size_t i = 0; i < layers; ++i) {
        const std::string attn = "blocks." + std::to_string(i) + ".attn.";
        for (const char* buffer : {"mask", "IGNORE", "rotary_sin", "rotary_cos"}) {
          if (tensor == attn + buffer) {
            return;
          }
        }
      }
      throw InputError(name_, "tensor '" + visible(tensor) + "'",
                       "only tensors that config.json calls for", "this one");
    };
    for (const auto& [tensor, unused] : file_.floats) {
      refuse(tensor);
    }
    for (const auto& [tensor, unused] : file_.integers) {
      refuse(tensor);
    }
  }

 private:
  static std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
      text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
    }
    return text + "]";
  }
  void check(const std::string& tensor, const Tensor& value,
             const std::vector<std::size_t>& shape) const {
    if (value.shape != shape) {
      throw InputError(name_, visible(tensor), "shape " + shape_text(shape),
                       shape_text(value.shape));
    }
    const auto bad = std::find_if(value.data.begin(), value.data.end(),
                                  [](float x) { return !std::isfinite(x); });
    if (bad != value.data.end()) {
      throw InputError(name_, visible(tensor), "finite numbers", "NaN or an infinity");
    }
  }

  SafetensorsFile file_;
  std::string name_;
};

void take_norm(Weights& weights, const DeepModel& m, const std::string& name, Tensor& w,
               Tensor& b) {
  if (m.config.norm == NormKind::none || !m.config.norm_affine) {
    return;
  }
  w = weights.take(name + ".w", {m.config.d_model});
  b = m.rms ? zeros({m.config.d_model}) : weights.take(name + ".b", {m.config.d_model});
}

Block take_block(Weights& weights, const DeepModel& m, std::size_t i) {
  const TransformerConfig& c = m.config;
  const std::size_t d = c.d_model, H = c.n_heads, dh = c.d_head;
  const std::string block = "blocks." + std::to_string(i) + ".";
  const std::string attn = block + "attn.", mlp = block + "mlp.";
  Block b;
  b.W_Q = weights.take(attn + "W_Q", {H, d, dh});
  b.W_K = weights.take(attn + "W_K", {H, d, dh});
  b.W_V = weights.take(attn + "W_V", {H, d, dh});
  b.W_O = weights.take(attn + "W_O", {H, dh, d});
  b.b_Q = weights.take_or_zeros(attn + "b_Q", {H, dh});
  b.b_K = weights.take_or_zeros(attn + "b_K", {H, dh});
  b.b_V = weights.take_or_zeros(attn + "b_V", {H, dh});
  b.b_O = weights.take_or_zeros(attn + "b_O", {d});
  if (c.relative_bias) {
    b.rel_bias =
        weights.take(attn + "rel_bias", {H, c.attention_window == 0 ? c.n_ctx : c.attention_window});
  }
  take_norm(weights, m, block + "ln1", b.ln1_w, b.ln1_b);
  if (!c.attn_only) {
    b.W_in = weights.take(mlp + "W_in", {d, c.d_mlp});
    b.b_in = weights.take_or_zeros(mlp + "b_in", {c.d_mlp});
    b.W_out = weights.take(mlp + "W_out", {c.d_mlp, d});
    b.b_out = weights.take_or_zeros(mlp + "b_out", {d});
    take_norm(weights, m, block + "ln2", b.ln2_w, b.ln2_b);
  }
  return b;
}

}  // namespace

std::size_t DeepModel::longest() const {
  const bool tabled = config.positions == PosKind::standard ||
                      (config.relative_bias && config.attention_window == 0);
  return tabled ? config.n_ctx : 0;
}

DeepModel load_deep_model(const std::filesystem::path& directory) {
  const std::filesystem::path config_path = directory / "config.json";
  const std::filesystem::path weights_path = directory / "model.safetensors";
  DeepModel model;
  const std::string config = read_file(config_path);
  read_config(config, config_path.string(), model);
  model.config_digest = sha256(config);
  const std::string bytes = read_file(weights_path);
  model.weights_digest = sha256(bytes);
  SafetensorsFile file = parse_safetensors(bytes, weights_path.string(), NonFinite::keep);
  narrow_doubles(file, weights_path.string());
  Weights weights(std::move(file), weights_path.string());
  const TransformerConfig& c = model.config;
  model.W_E = weights.take("embed.W_E", {c.d_vocab, c.d_model});
  if (c.positions == PosKind::standard) {
    model.W_pos = weights.take("pos_embed.W_pos", {c.n_ctx, c.d_model});
  }
  for (std::size_t i = 0; i < c.n_layers; ++i) {
    model.blocks.push_back(take_block(weights, model, i));
  }
  take_norm(weights, model, "ln_final", model.ln_final_w, model.ln_final_b);
  model.W_U = weights.take("unembed.W_U", {c.d_model, c.d_vocab_out});
  model.b_U = weights.take_or_zeros("unembed.b_U", {c.d_vocab_out});
  weights.refuse_rest(c.n_layers);
  return model;
}

}  // namespace assay
