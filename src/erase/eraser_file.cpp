#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/eraser_file.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::erase {
namespace {

constexpr const char* kConfigName = "eraser.json";
constexpr const char* kWeightsName = "eraser.safetensors";
constexpr std::size_t kMaxRank = 64;
constexpr std::size_t kMaxWidth = 4096;
constexpr std::array<std::pair<const char*, std::optional<Digest> EraserOrigin::*>, 3> kDigests = {
    {{"modelWeights", &EraserOrigin::model_weights},
     {"labellingRule", &EraserOrigin::labelling_rule},
     {"rowsOfModel", &EraserOrigin::rows_of_model}}};
constexpr std::array<std::pair<const char*, std::vector<Digest> EraserOrigin::*>, 3> kFiles = {
    {{"fitActivations", &EraserOrigin::activations},
     {"fitLabels", &EraserOrigin::labels},
     {"fitRows", &EraserOrigin::rows}}};

Digest digest_of(const nlohmann::json& value, const char* key, const std::string& file) {
  try {
    return parse_digest(value.is_string() ? value.get<std::string>() : "");
  } catch (const InputError&) {
    throw InputError(file, key, "64 hex digits", visible(value.dump().substr(0, 80)));
  }
}

std::size_t need_size(const nlohmann::json& root, const char* key, const std::string& file) {
  if (!root.contains(key) || !root[key].is_number_unsigned()) {
    throw InputError(file, key, "an unsigned integer",
                     root.contains(key) ? visible(root[key].dump().substr(0, 60)) : "nothing");
  }
  return root[key].get<std::size_t>();
}

std::string need_text(const nlohmann::json& root, const char* key, const std::string& file) {
  if (!root.contains(key) || !root[key].is_string()) {
    throw InputError(file, key, "a string",
                     root.contains(key) ? visible(root[key].dump().substr(0, 60)) : "nothing");
  }
  return root[key].get<std::string>();
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

std::string eraser_json(const Eraser& eraser, const EraserOrigin& origin) {
  nlohmann::ordered_json root = {{"assay-eraser", 1},   {"kind", eraser.method},
                                 {"hook", eraser.hook}, {"rank", eraser.rank},
                                 {"d", eraser.d()},     {"gridBits", eraser.grid_bits}};
  if (!origin.labelled.empty()) {
    root["concept"] = origin.labelled;
  }
  for (const auto& [key, member] : kDigests) {
    if (const std::optional<Digest>& digest = origin.*member) {
      root[key] = digest->hex();
    }
  }
  for (const auto& [key, member] : kFiles) {
    for (const Digest& digest : origin.*member) {
      root[key].push_back(digest.hex());
    }
  }
  return root.dump(1) + "\n";
}

std::string eraser_tensors(const Eraser& eraser) {
  SafetensorsFile file;
  file.doubles = {
      {"proj_left", eraser.proj_left}, {"proj_right", eraser.proj_right}, {"bias", eraser.bias}};
  file.double_shapes = {{"proj_left", {eraser.d(), eraser.rank}},
                        {"proj_right", {eraser.rank, eraser.d()}},
                        {"bias", {eraser.d()}}};
  return to_safetensors(file);
}

bool is_of_fit(const EraserOrigin& origin, const Digest& file, const Digest& rows) {
  const auto names = [](const std::vector<Digest>& all, const Digest& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  return names(origin.activations, file) || names(origin.rows, rows);
}

LoadedEraser load_eraser(const std::filesystem::path& directory) {
  const std::string config = (directory / kConfigName).string();
  const std::string text = read_file(config);
  const nlohmann::json root = parse_strict_json(text, config);
  if (!root.is_object() || need_size(root, "assay-eraser", config) != 1) {
    throw InputError(config, "assay-eraser", "1", "another value");
  }
  LoadedEraser out;
  Eraser& eraser = out.eraser;
  eraser.method = need_text(root, "kind", config);
  static_cast<void>(method_of(eraser.method));
  eraser.rank = need_size(root, "rank", config);
  const std::size_t d = need_size(root, "d", config);
  if (d == 0 || d > kMaxWidth) {
    throw InputError(config, "d", "1 to 4096", std::to_string(d));
  }
  if (eraser.rank == 0 || eraser.rank > kMaxRank || eraser.rank > d) {
    throw InputError(config, "rank", "1 to 64, at most d", std::to_string(eraser.rank));
  }
  const std::size_t bits = need_size(root, "gridBits", config);
  if (bits > static_cast<std::size_t>(kMaxGridBits)) {
    throw InputError(config, "gridBits", "at most 24", std::to_string(bits));
  }
  eraser.grid_bits = static_cast<int>(bits);
  eraser.hook = need_text(root, "hook", config);
  for (const auto& [key, member] : kDigests) {
    if (root.contains(key)) {
      out.origin.*member = digest_of(root[key], key, config);
    }
  }
  for (const auto& [key, member] : kFiles) {
    if (root.contains(key)) {
      if (!root[key].is_array()) {
        throw InputError(config, key, "an array of digests", root[key].type_name());
      }
      for (const nlohmann::json& value : root[key]) {
        (out.origin.*member).push_back(digest_of(value, key, config));
      }
    }
  }
  if (root.contains("concept")) {
    out.origin.labelled = need_text(root, "concept", config);
  }
  out.config = sha256(text);
  const std::string weights = (directory / kWeightsName).string();
  const std::string bytes = read_file(weights);
  SafetensorsFile file = parse_safetensors(bytes, weights);
  eraser.proj_left = take(file, "proj_left", {d, eraser.rank}, weights);
  eraser.proj_right = take(file, "proj_right", {eraser.rank, d}, weights);
  eraser.bias = take(file, "bias", {d}, weights);
  if (!file.doubles.empty() || !file.floats.empty() || !file.integers.empty()) {
    throw InputError(weights, "tensors", "proj_left, proj_right and bias only", "others too");
  }
  out.weights = sha256(bytes);
  return out;
}

}  // namespace assay::erase
