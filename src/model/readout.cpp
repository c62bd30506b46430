#include "assay/model/readout.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/strict_json.hpp"

namespace assay {
namespace {

constexpr std::size_t kMaxReadoutBytes = std::size_t{64} << 20;

double hex_value(const nlohmann::json& value, const std::string& file, const std::string& key) {
  if (!value.is_string()) {
    throw InputError(file, key, "a hexadecimal float in quotes", value.type_name());
  }
  return parse_hex_float(value.get_ref<const std::string&>());
}

/// Exactly the four documented keys: an unread key could be a promise that nobody keeps.
void check_keys(const nlohmann::json& root, const std::string& file) {
  if (!root.is_object()) {
    throw InputError(file, "readout", "a JSON object", root.type_name());
  }
  for (const char* key : {"assay-readout", "hook", "weights", "bias"}) {
    if (!root.contains(key)) {
      throw InputError(file, key, "the key", "nothing");
    }
  }
  if (root.size() != 4) {
    throw InputError(file, "readout", "the keys assay-readout, hook, weights and bias",
                     std::to_string(root.size()) + " keys");
  }
  if (root["assay-readout"] != 1) {
    throw InputError(file, "assay-readout", "1", visible(root["assay-readout"].dump()));
  }
}

Readout read_of(const std::filesystem::path& path, const std::string& expected,
                const std::function<bool(const std::string&)>& is_hook) {
  const std::string file = path.string();
  const std::string bytes = read_file(path, kMaxReadoutBytes);
  const nlohmann::json root = parse_strict_json(bytes, file);
  check_keys(root, file);
  if (!root["hook"].is_string() || !is_hook(root["hook"].get<std::string>())) {
    throw InputError(file, "hook", expected, visible(root["hook"].dump()));
  }
  if (!root["weights"].is_array() || root["weights"].empty()) {
    throw InputError(file, "weights", "a non-empty array", visible(root["weights"].type_name()));
  }
  Readout readout;
  readout.hook = root["hook"].get<std::string>();
  for (std::size_t i = 0; i < root["weights"].size(); ++i) {
    readout.weights.push_back(
        hex_value(root["weights"][i], file, "weights[" + std::to_string(i) + "]"));
  }
  readout.bias = hex_value(root["bias"], file, "bias");
  readout.digest = sha256(bytes);
  return readout;
}

}  // namespace

Readout load_readout(const std::filesystem::path& path) {
  return read_of(path, "a known hook name", is_known_hook);
}

Readout load_readout_of(const std::filesystem::path& path, const std::vector<std::string>& hooks) {
  std::string expected;
  for (const std::string& hook : hooks) {
    expected += (expected.empty() ? "" : " or ") + hook;
  }
  return read_of(path, expected, [&hooks](const std::string& hook) {
    return std::find(hooks.begin(), hooks.end(), hook) != hooks.end();
  });
}

std::string readout_json(const Readout& readout) {
  require(std::isfinite(readout.bias), "readout_json: the bias is not finite");
  nlohmann::ordered_json root = {{"assay-readout", 1}, {"hook", readout.hook}};
  root["weights"] = nlohmann::ordered_json::array();
  for (const double w : readout.weights) {
    require(std::isfinite(w), "readout_json: a weight is not finite");
    root["weights"].push_back(hex_float(w));
  }
  root["bias"] = hex_float(readout.bias);
  return root.dump() + "\n";
}

void save_readout(const std::filesystem::path& file, const Readout& readout) {
  write_file_atomic(file, readout_json(readout));
}

}  // namespace assay
