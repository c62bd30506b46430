#include "json_profile.hpp"

#include <algorithm>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::certify {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

bool ascii(const std::string& key) {
  for (const char c : key) {
    if (c < 0x20 || c > 0x7E) {
      return false;
    }
  }
  return !key.empty();
}

void check_profile(const json& value, const std::string& file) {
  switch (value.type()) {
    case json::value_t::object:
      for (const auto& [key, child] : value.items()) {
        if (!ascii(key)) {
          throw InputError(file, "key '" + visible(key) + "'", "printable ASCII", "something else");
        }
        check_profile(child, file);
      }
      return;
    case json::value_t::array:
      for (const json& child : value) {
        check_profile(child, file);
      }
      return;
    case json::value_t::number_unsigned:
      if (value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxInteger)) {
        throw InputError(file, "number", "an integer within 2^53 - 1", value.dump());
      }
      return;
    case json::value_t::number_integer:
      if (value.get<std::int64_t>() > kMaxInteger || value.get<std::int64_t>() < -kMaxInteger) {
        throw InputError(file, "number", "an integer within 2^53 - 1", value.dump());
      }
      return;
    case json::value_t::string:
    case json::value_t::boolean:
      return;
    default:
      throw InputError(file, "value", "string, boolean, integer, array or object",
                       value.is_null() ? "null" : "a float");
  }
}

}  // namespace

std::string canonical_json(const json& value) {
  check_profile(value, "statement");
  try {
    return value.dump();  // sorted keys, no space, RFC 8785 escapes
  } catch (const json::exception&) {
    throw InputError("statement", "text", "valid UTF-8", "other bytes");
  }
}

json parse_profile_json(std::string_view text, const std::string& file) {
  json value = parse_strict_json(text, file);
  check_profile(value, file);
  return value;
}

ObjectReader::ObjectReader(const json& value, std::string where)
    : value_(&value), where_(std::move(where)) {
  if (!value.is_object()) {
    throw InputError(where_ + ": expected an object, found " + value.type_name());
  }
}

bool ObjectReader::has(const char* key) const {
  return value_->contains(key);
}

const json& ObjectReader::field(const char* key, const char* expected) const {
  const auto it = value_->find(key);
  if (it == value_->end()) {
    throw InputError(where_, key, expected, "nothing");
  }
  return *it;
}

std::string ObjectReader::text(const char* key) const {
  const json& v = field(key, "a string");
  if (!v.is_string()) {
    throw InputError(where_, key, "a string", v.type_name());
  }
  return v.get<std::string>();
}

std::string ObjectReader::optional_text(const char* key) const {
  return has(key) ? text(key) : std::string();
}

std::uint64_t ObjectReader::count(const char* key) const {
  const json& v = field(key, "an integer");
  if (!v.is_number_unsigned()) {
    throw InputError(where_, key, "an integer from 0", v.type_name());
  }
  return v.get<std::uint64_t>();
}

bool ObjectReader::flag(const char* key, bool otherwise) const {
  if (!has(key)) {
    return otherwise;
  }
  const json& v = field(key, "true or false");
  if (!v.is_boolean()) {
    throw InputError(where_, key, "true or false", v.type_name());
  }
  return v.get<bool>();
}

void ObjectReader::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, unused] : value_->items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      std::string known;
      for (const std::string_view name : keys) {
        known += (known.empty() ? "" : ", ") + std::string(name);
      }
      throw InputError(where_, "key", "one of " + known, visible(key));
    }
  }
}

std::vector<std::string> ObjectReader::texts(const char* key) const {
  std::vector<std::string> out;
  if (!has(key)) {
    return out;
  }
  const json& list = field(key, "a list of strings");
  if (!list.is_array()) {
    throw InputError(where_, key, "a list of strings", list.type_name());
  }
  for (const json& v : list) {
    if (!v.is_string()) {
      throw InputError(where_, key, "a list of strings", std::string("a ") + v.type_name());
    }
    out.push_back(v.get<std::string>());
  }
  return out;
}

ObjectReader ObjectReader::object(const char* key) const {
  return {field(key, "an object"), where_ + "." + key};
}

std::vector<ObjectReader> ObjectReader::objects(const char* key) const {
  std::vector<ObjectReader> out;
  if (!has(key)) {
    return out;
  }
  const json& list = field(key, "a list");
  if (!list.is_array()) {
    throw InputError(where_, key, "a list of objects", list.type_name());
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    out.emplace_back(list[i], where_ + "." + key + "[" + std::to_string(i) + "]");
  }
  return out;
}

}  // namespace assay::certify
