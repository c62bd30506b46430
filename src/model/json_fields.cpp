#include "json_fields.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

/// Bounds every size a config may state, so that products of three stay within 64 bits.
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 21U;

}  // namespace

JsonFields::JsonFields(const nlohmann::json& object, const std::string& file, std::string prefix)
    : object_(object), file_(file), prefix_(std::move(prefix)) {
  if (!object_.is_object()) {
    throw InputError(file_, prefix_.empty() ? "top level" : prefix_, "a JSON object",
                     object_.type_name());
  }
}

const nlohmann::json* JsonFields::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool JsonFields::has(const char* key) const {
  return find(key) != nullptr;
}

void JsonFields::refuse(const char* key, const std::string& expected) const {
  const nlohmann::json* value = find(key);
  std::string found = "nothing";
  if (value != nullptr) {
    found = value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (found.size() > 60) {
      found = found.substr(0, 60) + "...";
    }
  }
  throw InputError(file_, (prefix_.empty() ? "" : prefix_ + ".") + key, expected, found);
}

std::optional<std::size_t> JsonFields::size(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > kMaxSize) {
    refuse(key, "an integer from 0 to " + std::to_string(kMaxSize));
  }
  return value->get<std::size_t>();
}

std::optional<double> JsonFields::number(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number()) {
    refuse(key, "a number");
  }
  return value->get<double>();
}

std::optional<bool> JsonFields::boolean(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_boolean()) {
    refuse(key, "true or false");
  }
  return value->get<bool>();
}

std::optional<std::string> JsonFields::text(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    refuse(key, "a string");
  }
  return value->get<std::string>();
}

JsonFields JsonFields::object(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) {
    refuse(key, "a JSON object");
  }
  return {*value, file_, prefix_.empty() ? key : prefix_ + "." + key};
}

std::size_t JsonFields::need_size(const char* key) const {
  const auto value = size(key);
  if (!value || *value == 0) {
    refuse(key, "a positive integer");
  }
  return *value;
}

std::string JsonFields::need_text(const char* key) const {
  auto value = text(key);
  if (!value || value->empty()) {
    refuse(key, "a non-empty string");
  }
  return *std::move(value);
}

}  // namespace assay
