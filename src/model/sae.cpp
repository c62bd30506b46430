#include "assay/model/sae.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"
#include "dense.hpp"
#include "json_fields.hpp"

namespace assay {
namespace {

constexpr const char* kConfigName = "cfg.json";
constexpr const char* kWeightsName = "sae_weights.safetensors";

bool is_transcoder_name(const std::string& architecture) {
  return architecture == "transcoder" || architecture == "jumprelu_transcoder";
}

bool has_threshold(const std::string& architecture) {
  return architecture == "jumprelu" || architecture == "jumprelu_transcoder";
}

struct Slot {
  const char* name;
  Tensor Sae::*member;
  std::vector<std::size_t> shape;
};

std::vector<Slot> layout(const Sae& sae) {
  std::vector<Slot> slots = {{"W_dec", &Sae::W_dec, {sae.d_sae, sae.d_out}},
                             {"W_enc", &Sae::W_enc, {sae.d_in, sae.d_sae}},
                             {"b_dec", &Sae::b_dec, {sae.d_out}},
                             {"b_enc", &Sae::b_enc, {sae.d_sae}}};
  if (has_threshold(sae.architecture)) {
    slots.push_back({"threshold", &Sae::threshold, {sae.d_sae}});
  }
  return slots;
}

/// Settings that change the function and are not supported; on means refused.
void refuse_unsupported(const JsonFields& fields) {
  for (const char* key : {"normalize_activations", "reshape_activations"}) {
    if (fields.text(key).value_or("none") != "none") {
      fields.refuse(key, "\"none\" (fold it into the weights first)");
    }
  }
  for (const char* key : {"finetuning_scaling_factor", "rescale_acts_by_decoder_norm"}) {
    if (fields.boolean(key).value_or(false)) {
      fields.refuse(key, "false");
    }
  }
}

void check_version(const JsonFields& metadata) {
  const std::string version = metadata.need_text("sae_lens_version");
  if (version.substr(0, 2) != "6.") {
    metadata.refuse("sae_lens_version", "a 6.x version (older layouts must be converted first)");
  }
}

void read_hooks(const JsonFields& metadata, Sae& sae) {
  sae.hook_name = metadata.need_text("hook_name");
  if (metadata.has("hook_head_index")) {
    metadata.refuse("hook_head_index", "null");
  }
  const auto out = metadata.text("hook_name_out");
  if (is_transcoder_name(sae.architecture)) {
    sae.hook_name_out = metadata.need_text("hook_name_out");
    if (sae.hook_name_out == sae.hook_name) {
      metadata.refuse("hook_name_out", "another site than hook_name (a transcoder)");
    }
    return;
  }
  if (out && *out != sae.hook_name) {
    metadata.refuse("hook_name_out", "null or hook_name (not a transcoder)");
  }
  sae.hook_name_out = sae.hook_name;
}

Sae parse_cfg(const std::string& bytes, const std::string& file) {
  const nlohmann::json root = parse_strict_json(bytes, file);
  const JsonFields fields(root, file);
  Sae sae;
  sae.architecture = fields.need_text("architecture");
  const bool transcoder = is_transcoder_name(sae.architecture);
  const bool top_k = sae.architecture == "topk";
  if (sae.architecture != "standard" && sae.architecture != "jumprelu" && !top_k && !transcoder) {
    fields.refuse("architecture", "standard, jumprelu, topk, transcoder or jumprelu_transcoder");
  }
  sae.d_in = fields.need_size("d_in");
  sae.d_sae = fields.need_size("d_sae");
  if (top_k) {
    sae.k = fields.need_size("k");
    if (sae.k == 0 || sae.k > sae.d_sae) {
      fields.refuse("k", "a number from 1 to d_sae");
    }
  }
  sae.d_out = transcoder ? fields.need_size("d_out") : sae.d_in;
  if (const auto d_out = fields.size("d_out"); d_out && *d_out != sae.d_out) {
    fields.refuse("d_out", "d_in = " + std::to_string(sae.d_in));
  }
  sae.apply_b_dec_to_input = fields.boolean("apply_b_dec_to_input").value_or(!transcoder);
  if (transcoder && sae.apply_b_dec_to_input) {
    fields.refuse("apply_b_dec_to_input", "false for a transcoder");
  }
  static_cast<void>(fields.text("dtype"));
  refuse_unsupported(fields);
  const JsonFields metadata = fields.object("metadata");
  check_version(metadata);
  read_hooks(metadata, sae);
  return sae;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t n : shape) {
    text += (text.empty() ? "[" : ",") + std::to_string(n);
  }
  return text.empty() ? "[]" : text + "]";
}

void check_tensor(const Tensor& tensor, const Slot& slot, const std::string& file) {
  if (tensor.shape != slot.shape) {
    throw InputError(file, slot.name, "shape " + shape_text(slot.shape), shape_text(tensor.shape));
  }
  const bool threshold = std::string_view(slot.name) == "threshold";
  for (std::size_t i = 0; i < tensor.data.size(); ++i) {
    const float x = tensor.data[i];
    if (!std::isfinite(x) || (threshold && x < 0)) {
      throw InputError(file, std::string(slot.name) + "[" + std::to_string(i) + "]",
                       threshold ? "a finite number >= 0" : "a finite number",
                       std::isnan(x) ? "NaN" : decimal(static_cast<double>(x)));
    }
  }
}

void fill(Sae& sae, SafetensorsFile file, const std::string& name) {
  for (const Slot& slot : layout(sae)) {
    const auto it = file.floats.find(slot.name);
    if (it == file.floats.end()) {
      throw InputError(name, slot.name, "a float tensor " + shape_text(slot.shape), "none");
    }
    check_tensor(it->second, slot, name);
    sae.*slot.member = std::move(it->second);
    file.floats.erase(it);
  }
  const std::string extra = !file.floats.empty()     ? file.floats.begin()->first
                            : !file.integers.empty() ? file.integers.begin()->first
                                                     : "";
  if (!file.floats.empty() || !file.integers.empty()) {
    throw InputError(name, "tensor '" + visible(extra) + "'",
                     "only the tensors of architecture " + sae.architecture, "this one");
  }
  if (!has_threshold(sae.architecture)) {
    sae.threshold = zeros({sae.d_sae});
  }
}

std::string cfg_json(const Sae& sae) {
  nlohmann::ordered_json root = {{"architecture", sae.architecture},
                                 {"d_in", sae.d_in},
                                 {"d_sae", sae.d_sae},
                                 {"dtype", "float32"},
                                 {"device", "cpu"},
                                 {"apply_b_dec_to_input", sae.apply_b_dec_to_input},
                                 {"normalize_activations", "none"},
                                 {"reshape_activations", "none"}};
  if (is_transcoder_name(sae.architecture)) {
    root["d_out"] = sae.d_out;
  }
  if (sae.is_top_k()) {
    root["k"] = sae.k;
    root["rescale_acts_by_decoder_norm"] = false;
  }
  root["metadata"] = {{"sae_lens_version", "6.18.0"}, {"hook_name", sae.hook_name}};
  if (sae.is_transcoder()) {
    root["metadata"]["hook_name_out"] = sae.hook_name_out;
  }
  return root.dump(2) + "\n";
}

}  // namespace

Sae load_sae(const std::filesystem::path& directory) {
  const auto config_path = directory / kConfigName;
  const auto weights_path = directory / kWeightsName;
  const std::string config_bytes = read_file(config_path);
  Sae sae = parse_cfg(config_bytes, config_path.string());
  sae.config_digest = sha256(config_bytes);
  const std::string weights = read_file(weights_path);
  sae.weights_digest = sha256(weights);
  SafetensorsFile file = parse_safetensors(weights, weights_path.string());
  narrow_doubles(file, weights_path.string());
  fill(sae, std::move(file), weights_path.string());
  return sae;
}

void save_sae(const std::filesystem::path& directory, const Sae& sae) {
  const auto weights_path = directory / kWeightsName;
  const std::string config = cfg_json(sae);
  static_cast<void>(parse_cfg(config, (directory / kConfigName).string()));
  SafetensorsFile file;
  for (const Slot& slot : layout(sae)) {
    check_tensor(sae.*slot.member, slot, weights_path.string());
    file.floats.emplace(slot.name, sae.*slot.member);
  }
  make_directory(directory);
  write_safetensors(weights_path, file);
  write_file_atomic(directory / kConfigName, config);
}

Matrix pre_activations(const Sae& sae, const Matrix& x) {
  if (x.cols != sae.d_in) {
    throw InputError("activations", "width", "d_in = " + std::to_string(sae.d_in),
                     std::to_string(x.cols));
  }
  if (!sae.apply_b_dec_to_input) {
    return affine(x, sae.W_enc.data.data(), sae.d_sae, sae.b_enc.data.data());
  }
  Matrix centred = x;
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < x.cols; ++c) {
      centred.at(r, c) -= static_cast<double>(sae.b_dec.data[c]);
    }
  }
  return affine(centred, sae.W_enc.data.data(), sae.d_sae, sae.b_enc.data.data());
}

void need_thresholds(const Sae& sae) {
  if (sae.is_top_k()) {
    throw InputError("cfg.json", "architecture",
                     "an encoder with a threshold for each feature (topk: assay bound --feature)",
                     sae.architecture);
  }
}

namespace {

/// All but the k largest become 0; of equal ones the lower index is kept.
void keep_largest(std::span<double> row, std::size_t k) {
  std::vector<std::size_t> order(row.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto kth = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, row.size()));
  std::nth_element(order.begin(), kth, order.end(), [&](std::size_t a, std::size_t b) {
    return row[a] > row[b] || (row[a] == row[b] && a < b);
  });
  std::for_each(kth, order.end(), [&](std::size_t i) { row[i] = 0; });
}

}  // namespace

void apply_activation(const Sae& sae, Matrix& pre) {
  require(pre.cols == sae.d_sae, "apply_activation: width is not d_sae");
  for (std::size_t r = 0; r < pre.rows; ++r) {
    if (sae.is_top_k()) {
      keep_largest(std::span(pre.data).subspan(r * pre.cols, pre.cols), sae.k);
    }
    for (std::size_t c = 0; c < pre.cols; ++c) {
      double& value = pre.at(r, c);
      if (value <= static_cast<double>(sae.threshold.data[c])) {
        value = 0;
      }
    }
  }
}

Matrix decode(const Sae& sae, const Matrix& features) {
  require(features.cols == sae.d_sae, "decode: width is not d_sae");
  return affine_sparse(features, sae.W_dec.data.data(), sae.d_out, sae.b_dec.data.data());
}

}  // namespace assay
