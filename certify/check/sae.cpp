#include "sae.hpp"

#include <algorithm>
#include <utility>

#include "json.hpp"
#include "lexis.hpp"
#include "linear.hpp"
#include "reject.hpp"
#include "safetensors.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 22;

/// hook_name stands in `metadata` (SAELens 6) or at the top; both must then agree.
std::string hook_of(const Json& root, const std::string& file) {
  const Json* top = root.find("hook_name");
  const Json* metadata = root.find("metadata");
  const Json* inner = metadata == nullptr ? nullptr : metadata->find("hook_name");
  if ((top == nullptr && inner == nullptr) ||
      (top != nullptr && inner != nullptr && top->as_text() != inner->as_text())) {
    throw Reject("sae", "hook_name: expected one site", file);
  }
  for (const Json* object : {&root, metadata}) {
    if (object != nullptr && object->find("hook_head_index") != nullptr) {
      throw Reject("sae", "hook_head_index: expected null", file);
    }
  }
  return top != nullptr ? top->as_text() : inner->as_text();
}

void refuse_other_functions(const Json& root, const std::string& file) {
  for (const char* key : {"normalize_activations", "reshape_activations"}) {
    if (const Json* value = root.find(key); value != nullptr && value->as_text() != "none") {
      throw Reject("sae", std::string(key) + ": expected \"none\"", file);
    }
  }
  for (const char* key : {"finetuning_scaling_factor", "rescale_acts_by_decoder_norm"}) {
    if (const Json* value = root.find(key); value != nullptr && value->as_bool()) {
      throw Reject("sae", std::string(key) + ": expected false", file);
    }
  }
  for (const char* key : {"activation_fn", "activation_fn_str"}) {
    if (const Json* value = root.find(key); value != nullptr && value->as_text() != "relu") {
      throw Reject("sae", std::string(key) + ": expected \"relu\"", file);
    }
  }
}

std::size_t size_of(const Json& root, const char* key) {
  const std::uint64_t n = root.at(key).as_natural();
  if (n == 0 || n > kMaxSize) {
    throw Reject("sae", std::string(key) + ": over a limit", root.file);
  }
  return static_cast<std::size_t>(n);
}

}  // namespace

std::vector<Interval> SaeEncoder::direction(std::size_t i) const {
  return exact(&W_enc[i], d_in, d_sae);
}

Interval SaeEncoder::offset(std::size_t i) const {
  const Interval beta(b_enc[i]);
  return subtract_b_dec ? beta - dot(direction(i), b_dec.data(), 1) : beta;
}

SaeEncoder read_sae(const std::string& config, const std::string& config_file, std::string weights,
                    const std::string& weights_file) {
  const Json root = parse_json(config, config_file);
  const std::string architecture = root.at("architecture").as_text();
  const bool transcoder = architecture == "transcoder" || architecture == "jumprelu_transcoder";
  const bool jump = architecture == "jumprelu" || architecture == "jumprelu_transcoder";
  const bool top_k = architecture == "topk";
  if (!transcoder && !jump && !top_k && architecture != "standard") {
    throw Reject("sae", "architecture " + architecture + " is not supported", config_file);
  }
  refuse_other_functions(root, config_file);
  SaeEncoder sae;
  sae.hook = hook_of(root, config_file);
  sae.d_in = size_of(root, "d_in");
  sae.d_sae = size_of(root, "d_sae");
  sae.k = top_k ? size_of(root, "k") : 0;
  if (sae.k > sae.d_sae) {
    throw Reject("sae", "k: expected at most d_sae", config_file);
  }
  const Json* apply = root.find("apply_b_dec_to_input");
  sae.subtract_b_dec = apply == nullptr ? !transcoder : apply->as_bool();
  const std::size_t d_out = transcoder ? size_of(root, "d_out") : sae.d_in;
  if (transcoder && sae.subtract_b_dec) {
    throw Reject("sae", "apply_b_dec_to_input: expected false for a transcoder", config_file);
  }
  const Safetensors file(std::move(weights), weights_file);
  if (file.names().size() != (jump ? 5U : 4U)) {
    throw Reject("sae", "unknown or missing tensors", weights_file);
  }
  sae.W_enc = file.f32("W_enc", {sae.d_in, sae.d_sae});
  sae.b_enc = file.f32("b_enc", {sae.d_sae});
  sae.b_dec = file.f32("b_dec", {d_out});
  static_cast<void>(file.f32("W_dec", {sae.d_sae, d_out}));
  sae.threshold = jump ? file.f32("threshold", {sae.d_sae}) : std::vector<float>(sae.d_sae, 0.0F);
  if (!std::all_of(sae.threshold.begin(), sae.threshold.end(), [](float t) { return t >= 0; })) {
    throw Reject("sae", "threshold: expected numbers >= 0", weights_file);
  }
  return sae;
}

AffineReadout read_readout(const std::string& bytes, const std::string& file) {
  const Json root = parse_json(bytes, file);
  if (root.at("assay-readout").as_natural() != 1 || root.members.size() != 4) {
    throw Reject("readout", "expected assay-readout 1 with hook, weights, bias", file);
  }
  AffineReadout readout;
  readout.hook = root.at("hook").as_text();
  for (const Json& w : root.at("weights").as_array()) {
    readout.weights.emplace_back(parse_hex(w.as_text()));
  }
  readout.bias = Interval(parse_hex(root.at("bias").as_text()));
  return readout;
}

}  // namespace assay_check
