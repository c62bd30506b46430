#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/erase/labelled_eraser.hpp"
#include "assay/model/safetensors.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::erase {

bool is_labelled_method(const std::string& method) {
  return method == "oracle" || method == "quadratic";
}

std::string labelled_json(const LabelledEraser& e, const EraserOrigin& origin) {
  nlohmann::ordered_json root = {{"assay-eraser", 1}, {"kind", e.method},
                                 {"hook", e.hook},    {"d", e.d},
                                 {"labels", e.k},     {"gridBits", e.grid_bits}};
  if (!origin.labelled.empty()) {
    root["concept"] = origin.labelled;
  }
  for (const Digest& digest : origin.activations) {
    root["fitActivations"].push_back(digest.hex());
  }
  for (const Digest& digest : origin.labels) {
    root["fitLabels"].push_back(digest.hex());
  }
  for (const Digest& digest : origin.rows) {
    root["fitRows"].push_back(digest.hex());
  }
  return root.dump(1) + "\n";
}

std::string labelled_tensors(const LabelledEraser& e) {
  SafetensorsFile file;
  file.doubles = {{"gain", e.gain}, {"mean", e.mean}};
  if (e.method == "oracle") {
    file.double_shapes = {{"gain", {e.d, e.k}}, {"mean", {e.k}}};
  } else {
    const std::size_t classes = e.mean.size() / e.d;
    file.doubles["target"] = e.target;
    file.double_shapes = {
        {"gain", {classes, e.d, e.d}}, {"mean", {classes, e.d}}, {"target", {e.d}}};
  }
  return to_safetensors(file);
}

std::string kind_of_eraser(const std::filesystem::path& directory) {
  const std::string path = (directory / "eraser.json").string();
  const nlohmann::json root = parse_strict_json(read_file(path), path);
  if (!root.is_object() || !root.contains("kind") || !root["kind"].is_string()) {
    throw InputError(path, "kind", "a string", "nothing");
  }
  return root["kind"].get<std::string>();
}

LabelledEraser load_labelled(const std::filesystem::path& directory) {
  const std::string path = (directory / "eraser.json").string();
  const nlohmann::json root = parse_strict_json(read_file(path), path);
  const auto size_of = [&](const char* key, std::size_t most) {
    if (!root.is_object() || !root.contains(key) || !root[key].is_number_unsigned() ||
        root[key].get<std::size_t>() > most) {
      throw InputError(path, key, "an unsigned integer of at most " + std::to_string(most),
                       "another value");
    }
    return root[key].get<std::size_t>();
  };
  LabelledEraser out;
  out.method = kind_of_eraser(directory);
  if (!is_labelled_method(out.method) || !root.contains("hook") || !root["hook"].is_string()) {
    throw InputError(path, "kind and hook", "oracle or quadratic, and a string", "another value");
  }
  out.hook = root["hook"].get<std::string>();
  out.d = size_of("d", kMaxTableWidth);
  out.k = size_of("labels", kMaxTableLabels);
  out.grid_bits = static_cast<int>(size_of("gridBits", kMaxGridBits));
  for (const auto& [key, digests] : {std::pair("fitActivations", &out.origin.activations),
                                     std::pair("fitRows", &out.origin.rows)}) {
    for (const nlohmann::json& digest : root.value(key, nlohmann::json::array())) {
      digests->push_back(parse_digest(digest.is_string() ? digest.get<std::string>() : ""));
    }
  }
  const std::string weights = (directory / "eraser.safetensors").string();
  SafetensorsFile file = read_safetensors(weights);
  out.gain = file.doubles["gain"];
  out.mean = file.doubles["mean"];
  out.target = file.doubles["target"];
  const std::size_t classes = std::max<std::size_t>(2, out.k);
  const bool oracle = out.method == "oracle";
  if (out.d == 0 || out.k == 0 ||
      out.gain.size() != (oracle ? out.d * out.k : classes * out.d * out.d) ||
      out.mean.size() != (oracle ? out.k : classes * out.d) ||
      out.target.size() != (oracle ? 0 : out.d)) {
    throw InputError(weights, "gain, mean and target", "the shapes of its eraser.json", "others");
  }
  return out;
}

}  // namespace assay::erase
