#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::erase {
namespace {

constexpr const char* kConfigName = "eraser.json";
constexpr const char* kWeightsName = "eraser.safetensors";

std::size_t need_size(const nlohmann::json& root, const char* key, const std::string& file) {
  if (!root.contains(key) || !root[key].is_number_unsigned()) {
    throw InputError(file, key, "an unsigned integer",
                     root.contains(key) ? visible(root[key].dump().substr(0, 60)) : "nothing");
  }
  return root[key].get<std::size_t>();
}

void need_text(const nlohmann::json& root, const char* key, const std::string& wanted,
               const std::string& file) {
  if (!root.contains(key) || !root[key].is_string() || root[key] != wanted) {
    throw InputError(file, key, "\"" + wanted + "\"",
                     root.contains(key) ? visible(root[key].dump().substr(0, 60)) : "nothing");
  }
}

std::vector<double> take(SafetensorsFile& file, const std::string& name,
                         const std::vector<std::size_t>& shape, const std::string& path) {
  const auto it = file.doubles.find(name);
  if (it == file.doubles.end() || file.double_shapes.at(name) != shape) {
    throw InputError(path, name, "an F64 tensor of the eraser's shape",
                     it == file.doubles.end() ? "nothing" : "another shape");
  }
  std::vector<double> values = std::move(it->second);
  file.doubles.erase(it);
  return values;
}

}  // namespace

std::string eraser_json(const Eraser& eraser, const Concept& labelled,
                        const Digest& model_weights) {
  const nlohmann::ordered_json root = {{"assay-eraser", 1},
                                       {"kind", "leace"},
                                       {"hook", eraser.hook},
                                       {"rank", 1},
                                       {"d", eraser.d()},
                                       {"gridBits", eraser.grid_bits},
                                       {"modelWeights", model_weights.hex()},
                                       {"concept", labelled.name},
                                       {"labellingRule", labelled.digest().hex()}};
  return root.dump(1) + "\n";
}

std::string eraser_tensors(const Eraser& eraser) {
  SafetensorsFile file;
  file.doubles = {
      {"proj_left", eraser.proj_left}, {"proj_right", eraser.proj_right}, {"bias", eraser.bias}};
  file.double_shapes = {
      {"proj_left", {eraser.d(), 1}}, {"proj_right", {1, eraser.d()}}, {"bias", {eraser.d()}}};
  return to_safetensors(file);
}

Eraser load_eraser(const std::filesystem::path& directory) {
  const std::string config = (directory / kConfigName).string();
  const nlohmann::json root = parse_strict_json(read_file(config), config);
  if (!root.is_object() || need_size(root, "assay-eraser", config) != 1) {
    throw InputError(config, "assay-eraser", "1", "another value");
  }
  need_text(root, "kind", "leace", config);
  if (need_size(root, "rank", config) != 1) {
    throw InputError(config, "rank", "1", "another value");
  }
  Eraser eraser;
  const std::size_t d = need_size(root, "d", config);
  const std::size_t bits = need_size(root, "gridBits", config);
  if (bits > static_cast<std::size_t>(kMaxGridBits)) {
    throw InputError(config, "gridBits", "at most 24", std::to_string(bits));
  }
  eraser.grid_bits = static_cast<int>(bits);
  if (!root.contains("hook") || !root["hook"].is_string() ||
      !is_spliceable(root["hook"].get<std::string>())) {
    throw InputError(config, "hook", "a site that can be spliced", "another value");
  }
  eraser.hook = root["hook"].get<std::string>();
  const std::string weights = (directory / kWeightsName).string();
  SafetensorsFile file = read_safetensors(weights);
  eraser.proj_left = take(file, "proj_left", {d, 1}, weights);
  eraser.proj_right = take(file, "proj_right", {1, d}, weights);
  eraser.bias = take(file, "bias", {d}, weights);
  if (!file.doubles.empty() || !file.floats.empty() || !file.integers.empty()) {
    throw InputError(weights, "tensors", "proj_left, proj_right and bias only", "others too");
  }
  return eraser;
}

std::string data_file(const Rows& rows) {
  SafetensorsFile file;
  file.floats["x"] = {{rows.n(), rows.d}, rows.x};
  file.integers["z"] = {rows.z.begin(), rows.z.end()};
  file.integer_shapes["z"] = {rows.n()};
  return to_safetensors(file);
}

std::string request_text(const std::vector<const ResidualClaim*>& claims) {
  std::string text = "assay-request 1\n";
  for (const ResidualClaim* claim : claims) {
    text += "residual " + claim->id + " data " + claim->data_digest.hex() + " max-r2 " +
            claim->residual.tau.text() + "\n";
  }
  return text + "end\n";
}

std::string certificate_text(const std::vector<const ResidualClaim*>& claims,
                             const Transformer& model, const Digest& eraser_config,
                             const Digest& eraser_weights, const Digest& statement) {
  std::string text = "assay-cert 1\nkind erasure\nsemantics DEPLOYED\nmodel " +
                     model.config_digest.hex() + " " + model.weights_digest.hex() + "\neraser " +
                     eraser_config.hex() + " " + eraser_weights.hex() + "\nstatement " +
                     statement.hex() + "\n";
  for (const ResidualClaim* claim : claims) {
    text += claim->id + " RESIDUAL : " + std::to_string(claim->residual.n) + " " +
            std::to_string(claim->residual.n1) + " " + claim->residual.tau.text() + "\n";
  }
  return text + "end " + std::to_string(claims.size()) + "\n";
}

void write_erasure(const EraseResult& result, const std::filesystem::path& directory) {
  make_directory(directory);
  for (const auto& [name, bytes] : result.files) {
    write_file_atomic(directory / name, bytes);
  }
}

}  // namespace assay::erase
