#include "site.hpp"

#include <algorithm>
#include <utility>

#include "json.hpp"
#include "lexis.hpp"
#include "reject.hpp"
#include "safetensors.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 22;

[[noreturn]] void refuse(const Json& root, const std::string& key, const std::string& expected) {
  throw Reject("model", key + ": expected " + expected, root.file);
}

std::size_t size_of(const Json& root, const char* key) {
  const std::uint64_t value = root.at(key).as_natural();
  if (value == 0 || value > kMaxSize) {
    refuse(root, key, "a number from 1 to " + std::to_string(kMaxSize));
  }
  return static_cast<std::size_t>(value);
}

/// Settings that make the site, or the logits that read it, another function.
void refuse_other_functions(const Json& root) {
  if (const Json* rms = root.find("final_rms"); rms != nullptr && rms->as_bool()) {
    refuse(root, "final_rms", "false");
  }
  const Json* cap = root.find("output_logits_soft_cap");
  if (cap != nullptr && !(cap->as_double() <= 0)) {
    refuse(root, "output_logits_soft_cap", "none");
  }
  if (const Json* eps = root.find("eps"); eps != nullptr && !(eps->as_double() > 0)) {
    refuse(root, "eps", "a positive number");
  }
}

/// An absent key means LN, a null that nothing is normalised.
void read_norm(const Json& root, Site& site) {
  const auto states = [&](const char* key) {
    return std::any_of(root.members.begin(), root.members.end(),
                       [&](const Json::Member& m) { return m.name == key; });
  };
  const bool other = states("normalization");
  if (other && states("normalization_type")) {
    refuse(root, "normalization_type", "one key for it");
  }
  const char* key = other ? "normalization" : "normalization_type";
  const std::string kind = states(key) ? root.at(key).as_text() : "LN";
  if (kind != "LN" && kind != "LNPre" && kind != "RMS" && kind != "RMSPre") {
    refuse(root, key, "LN, LNPre, RMS or RMSPre");
  }
  site.centred = kind.starts_with("LN");
  site.affine = !kind.ends_with("Pre");
}

/// ln_final, or blocks.N.ln1 or blocks.N.ln2 with N below n_layers.
void check_name(const Json& root, const Site& site) {
  const Json* attn_only = root.find("attn_only");
  const bool mlp = attn_only == nullptr || !attn_only->as_bool();
  const std::string_view name = site.name, blocks = "blocks.";
  bool known = name == "ln_final";
  if (name.starts_with(blocks) && (name.ends_with(".ln1") || (mlp && name.ends_with(".ln2")))) {
    const std::string_view n = name.substr(blocks.size(), name.size() - blocks.size() - 4);
    known = parse_nat(n) < site.n_layers;
  }
  if (!known) {
    throw Reject("site", "the model has no site " + site.name, root.file);
  }
}

/// w or b of the norm, there exactly when it has one.
std::vector<float> part(const Safetensors& file, const Site& site, const char* suffix, bool has,
                        float otherwise, const std::string& weights_file) {
  if (!has && file.has(site.name + suffix)) {
    throw Reject("model", site.name + suffix + ": the norm has no such tensor", weights_file);
  }
  return has ? file.f32(site.name + suffix, {site.d}) : std::vector<float>(site.d, otherwise);
}

}  // namespace

std::string Site::words() const {
  return name + " (" + (centred ? "LayerNorm, " : "RMSNorm, ") + std::to_string(n_layers) +
         (n_layers == 1 ? " layer)" : " layers)");
}

Site read_site(const std::string& name, const std::string& config, const std::string& config_file,
               std::string weights, const std::string& weights_file) {
  const Json root = parse_json(config, config_file);
  refuse_other_functions(root);
  Site site;
  site.name = name;
  site.n_layers = size_of(root, "n_layers");
  site.d = size_of(root, "d_model");
  read_norm(root, site);
  check_name(root, site);
  const Safetensors file(std::move(weights), weights_file);
  site.w = part(file, site, ".w", site.affine, 1, weights_file);
  site.b = part(file, site, ".b", site.affine && site.centred, 0, weights_file);
  if (name == "ln_final") {
    const Json* out = root.find("d_vocab_out");
    const bool stated = out != nullptr && out->as_double() != -1;  // -1 is TransformerLens's unset
    site.tokens = size_of(root, stated ? "d_vocab_out" : "d_vocab");
    site.W_U = file.f32("unembed.W_U", {site.d, site.tokens});
    site.b_U = file.has("unembed.b_U") ? file.f32("unembed.b_U", {site.tokens})
                                       : std::vector<float>(site.tokens);
  }
  return site;
}

}  // namespace assay_check
