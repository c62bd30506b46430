#include "assay/model/transformer.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/safetensors.hpp"

namespace assay {
namespace {

/// What an absent tensor means.
enum class Absent { refused, zeros };

/// One tensor of the layout: its name in the file, its place in the model, its shape.
struct Slot {
  const char* name;
  Tensor Transformer::*member;
  std::vector<std::size_t> shape;
  Absent absent = Absent::refused;
};

/// Buffers that TransformerLens stores beside the weights; they carry no parameter.
const std::set<std::string> kBuffers = {"blocks.0.attn.mask", "blocks.0.attn.IGNORE",
                                        "blocks.0.attn.rotary_sin", "blocks.0.attn.rotary_cos"};

void add_layer_norm(std::vector<Slot>& slots, const TransformerConfig& c) {
  if (c.norm != NormKind::layer_norm || !c.norm_affine) {
    return;
  }
  slots.push_back({"blocks.0.ln1.w", &Transformer::ln1_w, {c.d_model}});
  slots.push_back({"blocks.0.ln1.b", &Transformer::ln1_b, {c.d_model}});
  if (!c.attn_only) {
    slots.push_back({"blocks.0.ln2.w", &Transformer::ln2_w, {c.d_model}});
    slots.push_back({"blocks.0.ln2.b", &Transformer::ln2_b, {c.d_model}});
  }
  slots.push_back({"ln_final.w", &Transformer::ln_final_w, {c.d_model}});
  slots.push_back({"ln_final.b", &Transformer::ln_final_b, {c.d_model}});
}

/// Every tensor that a model of this configuration has, and no other.
std::vector<Slot> layout(const TransformerConfig& c) {
  const std::size_t d = c.d_model, H = c.n_heads, dh = c.d_head;
  std::vector<Slot> slots = {
      {"embed.W_E", &Transformer::W_E, {c.d_vocab, d}},
      {"blocks.0.attn.W_Q", &Transformer::W_Q, {H, d, dh}},
      {"blocks.0.attn.W_K", &Transformer::W_K, {H, d, dh}},
      {"blocks.0.attn.W_V", &Transformer::W_V, {H, d, dh}},
      {"blocks.0.attn.W_O", &Transformer::W_O, {H, dh, d}},
      {"blocks.0.attn.b_Q", &Transformer::b_Q, {H, dh}, Absent::zeros},
      {"blocks.0.attn.b_K", &Transformer::b_K, {H, dh}, Absent::zeros},
      {"blocks.0.attn.b_V", &Transformer::b_V, {H, dh}, Absent::zeros},
      {"blocks.0.attn.b_O", &Transformer::b_O, {d}, Absent::zeros},
      {"unembed.W_U", &Transformer::W_U, {d, c.d_vocab_out}},
      {"unembed.b_U", &Transformer::b_U, {c.d_vocab_out}, Absent::zeros},
  };
  if (c.positions == PosKind::standard) {
    slots.push_back({"pos_embed.W_pos", &Transformer::W_pos, {c.n_ctx, d}});
  }
  if (c.relative_bias) {
    const std::size_t window = c.attention_window == 0 ? c.n_ctx : c.attention_window;
    slots.push_back({"blocks.0.attn.rel_bias", &Transformer::rel_bias, {H, window}});
  }
  if (!c.attn_only) {
    slots.push_back({"blocks.0.mlp.W_in", &Transformer::W_in, {d, c.d_mlp}});
    slots.push_back({"blocks.0.mlp.b_in", &Transformer::b_in, {c.d_mlp}, Absent::zeros});
    slots.push_back({"blocks.0.mlp.W_out", &Transformer::W_out, {c.d_mlp, d}});
    slots.push_back({"blocks.0.mlp.b_out", &Transformer::b_out, {d}, Absent::zeros});
  }
  add_layer_norm(slots, c);
  return slots;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  }
  return text + "]";
}

void check_tensor(const Tensor& tensor, const Slot& slot, const std::string& file) {
  if (tensor.shape != slot.shape) {
    throw InputError(file, slot.name, "shape " + shape_text(slot.shape), shape_text(tensor.shape));
  }
  const auto bad = std::find_if(tensor.data.begin(), tensor.data.end(),
                                [](float x) { return !std::isfinite(x); });
  if (bad != tensor.data.end()) {
    throw InputError(
        file, std::string(slot.name) + " element " + std::to_string(bad - tensor.data.begin()),
        "a finite number", std::isnan(*bad) ? "NaN" : "an infinity");
  }
}

void fill(Transformer& model, SafetensorsFile file, const std::string& name) {
  for (const Slot& slot : layout(model.config)) {
    const auto it = file.floats.find(slot.name);
    if (it == file.floats.end() && slot.absent == Absent::zeros) {
      model.*slot.member = zeros(slot.shape);
      continue;
    }
    if (it == file.floats.end()) {
      throw InputError(name, slot.name, "a float tensor " + shape_text(slot.shape), "none");
    }
    check_tensor(it->second, slot, name);
    model.*slot.member = std::move(it->second);
    file.floats.erase(it);
  }
  const auto refuse_unknown = [&name](const std::string& tensor) {
    if (!kBuffers.contains(tensor)) {
      throw InputError(name, "tensor '" + visible(tensor) + "'",
                       "only tensors that config.json calls for", "this one");
    }
  };
  for (const auto& [tensor, values] : file.floats) {
    refuse_unknown(tensor);
  }
  for (const auto& [tensor, values] : file.integers) {
    refuse_unknown(tensor);
  }
}

}  // namespace

Transformer load_transformer(const std::filesystem::path& directory) {
  const std::filesystem::path config_path = directory / "config.json";
  const std::filesystem::path weights_path = directory / "model.safetensors";
  const std::string config_bytes = read_file(config_path);
  Transformer model;
  model.config = parse_config(config_bytes, config_path.string());
  model.config_digest = sha256(config_bytes);
  const std::string weights = read_file(weights_path);
  model.weights_digest = sha256(weights);
  // Buffers may hold infinities; every tensor that is used is checked in `fill`.
  SafetensorsFile file = parse_safetensors(weights, weights_path.string(), NonFinite::keep);
  narrow_doubles(file, weights_path.string());
  fill(model, std::move(file), weights_path.string());
  return model;
}

void save_transformer(const std::filesystem::path& directory, const Transformer& model) {
  const std::filesystem::path weights_path = directory / "model.safetensors";
  SafetensorsFile file;
  for (const Slot& slot : layout(model.config)) {
    Tensor tensor = model.*slot.member;
    if (tensor.data.empty() && slot.absent == Absent::zeros) {
      tensor = zeros(slot.shape);
    }
    check_tensor(tensor, slot, weights_path.string());
    file.floats.emplace(slot.name, std::move(tensor));
  }
  make_directory(directory);
  write_safetensors(weights_path, file);
  write_file_atomic(directory / "config.json", config_json(model.config));
}

}  // namespace assay
