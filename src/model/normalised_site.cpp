#include "assay/model/normalised_site.hpp"

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

constexpr const char* kFinal = "ln_final";

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  }
  return text + "]";
}

/// "ln_final", or "blocks.N.ln1" / "blocks.N.ln2" with N below n_layers.
bool has_site(const std::string& name, std::size_t n_layers, bool attn_only) {
  if (name == kFinal) {
    return true;
  }
  const std::vector<std::string> parts = split(name, '.');
  const bool shaped =
      parts.size() == 3 && parts[0] == "blocks" && !parts[1].empty() && parts[1].size() <= 6 &&
      std::all_of(parts[1].begin(), parts[1].end(), [](char c) { return c >= '0' && c <= '9'; }) &&
      (parts[2] == "ln1" || (parts[2] == "ln2" && !attn_only));
  return shaped && std::to_string(std::stoul(parts[1])) == parts[1] &&
         std::stoul(parts[1]) < n_layers;
}

void read_norm(const JsonFields& fields, const nlohmann::json& root, NormalisedSite& site) {
  // Absent means LN, as in TransformerLens; an explicit null means that nothing is normalised.
  const char* key = root.contains("normalization_type") ? "normalization_type" : "normalization";
  const std::string kind =
      root.contains(key) ? fields.text(key).value_or("null") : std::string("LN");
  if (kind != "LN" && kind != "LNPre" && kind != "RMS" && kind != "RMSPre") {
    fields.refuse(key, "\"LN\", \"LNPre\", \"RMS\" or \"RMSPre\" (a normalised site)");
  }
  site.norm = kind == "LN" || kind == "LNPre" ? SiteNorm::layer_norm : SiteNorm::rms_norm;
  site.affine = kind == "LN" || kind == "RMS";
}

/// Settings that make the site, or the logits read from it, another function.
void refuse_unsupported(const JsonFields& fields) {
  if (fields.boolean("final_rms").value_or(false)) {
    fields.refuse("final_rms", "false (not supported)");
  }
  if (fields.number("output_logits_soft_cap").value_or(-1.0) > 0) {
    fields.refuse("output_logits_soft_cap", "none (not supported)");
  }
  if (const auto eps = fields.number("eps"); eps && !(*eps > 0)) {
    fields.refuse("eps", "a positive number");
  }
}

/// Returns d_vocab_out.
std::size_t read_config(const std::string& bytes, const std::string& file, NormalisedSite& site) {
  const nlohmann::json root = parse_strict_json(bytes, file);
  const JsonFields fields(root, file);
  refuse_unsupported(fields);
  site.n_layers = fields.need_size("n_layers");
  site.d_model = fields.need_size("d_model");
  for (const auto& [key, value] :
       {std::pair("n_layers", site.n_layers), {"d_model", site.d_model}}) {
    if (value == 0) {
      fields.refuse(key, "a positive integer");
    }
  }
  read_norm(fields, root, site);
  if (!has_site(site.name, site.n_layers, fields.boolean("attn_only").value_or(false))) {
    throw InputError(file, "site",
                     "ln_final, or blocks.N.ln1 or blocks.N.ln2 of one of the " +
                         std::to_string(site.n_layers) + " blocks",
                     visible(site.name));
  }
  if (site.name != kFinal) {
    return 0;
  }
  const bool stated = fields.number("d_vocab_out").value_or(-1.0) != -1.0;  // -1: unset
  const char* key = stated ? "d_vocab_out" : "d_vocab";
  const std::size_t vocabulary = fields.need_size(key);
  if (vocabulary == 0) {
    fields.refuse(key, "a positive integer");
  }
  return vocabulary;
}

/// The tensors of one weights file, taken out one by one.
struct Weights {
  SafetensorsFile file;
  std::string name;

  [[nodiscard]] bool has(const std::string& tensor) const {
    return file.floats.contains(tensor) || file.doubles.contains(tensor) ||
           file.integers.contains(tensor);
  }

  Tensor take(const std::string& tensor, const std::vector<std::size_t>& shape) {
    SafetensorsFile one;
    if (auto node = file.floats.extract(tensor)) {
      one.floats.insert(std::move(node));
    } else if (auto wide = file.doubles.extract(tensor)) {
      one.doubles.insert(std::move(wide));
      one.double_shapes.insert(file.double_shapes.extract(tensor));
      narrow_doubles(one, name);
    } else {
      throw InputError(name, tensor, "a float tensor " + shape_text(shape),
                       has(tensor) ? "integers" : "none");
    }
    Tensor out = std::move(one.floats.at(tensor));
    if (out.shape != shape) {
      throw InputError(name, tensor, "shape " + shape_text(shape), shape_text(out.shape));
    }
    const auto bad =
        std::find_if(out.data.begin(), out.data.end(), [](float x) { return !std::isfinite(x); });
    if (bad != out.data.end()) {
      throw InputError(name, tensor + " element " + std::to_string(bad - out.data.begin()),
                       "a finite number", std::isnan(*bad) ? "NaN" : "an infinity");
    }
    return out;
  }

  [[nodiscard]] std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& [tensor, values] : file.floats) {
      names.push_back(tensor);
    }
    for (const auto& [tensor, values] : file.doubles) {
      names.push_back(tensor);
    }
    for (const auto& [tensor, values] : file.integers) {
      names.push_back(tensor);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

/// w and b, each there exactly when the normalization_type has it.
void read_affine(Weights& weights, NormalisedSite& site) {
  const auto part = [&](const char* suffix, bool wanted, float otherwise) {
    const std::string tensor = site.name + suffix;
    if (wanted) {
      return weights.take(tensor, {site.d_model}).data;
    }
    if (weights.has(tensor)) {
      throw InputError(weights.name, tensor, "no such tensor (normalization_type has none)",
                       "this one");
    }
    return std::vector<float>(site.d_model, otherwise);
  };
  site.w = part(".w", site.affine, 1.0F);
  site.b = part(".b", site.affine && site.norm == SiteNorm::layer_norm, 0.0F);
}

}  // namespace

NormalisedSite load_normalised_site(const std::filesystem::path& directory,
                                    const std::string& name) {
  const std::filesystem::path config_path = directory / "config.json";
  const std::filesystem::path weights_path = directory / "model.safetensors";
  NormalisedSite site;
  site.name = name;
  const std::string config = read_file(config_path);
  const std::size_t vocabulary = read_config(config, config_path.string(), site);
  site.config_digest = sha256(config);
  if (!std::filesystem::exists(weights_path) &&
      std::filesystem::exists(directory / "model.safetensors.index.json")) {
    throw InputError(directory.string(), "model.safetensors", "one weights file",
                     "shards (model.safetensors.index.json); merge them first");
  }
  const std::string bytes = read_file(weights_path);
  site.weights_digest = sha256(bytes);
  // Tensors that are not read may hold anything; `take` checks each one that is.
  Weights weights{parse_safetensors(bytes, weights_path.string(), NonFinite::keep),
                  weights_path.string()};
  read_affine(weights, site);
  if (vocabulary != 0) {
    site.W_U = weights.take("unembed.W_U", {site.d_model, vocabulary});
    site.b_U = weights.has("unembed.b_U") ? weights.take("unembed.b_U", {vocabulary})
                                          : zeros({vocabulary});
  }
  site.ignored = weights.left();
  return site;
}

}  // namespace assay
