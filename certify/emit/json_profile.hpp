#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace assay::certify {

/// RFC 8785 bytes of a value of the restricted profile: ASCII keys, strings, booleans,
/// integers |n| < 2^53, arrays, objects; no floats, no null. Throws InputError otherwise.
[[nodiscard]] std::string canonical_json(const nlohmann::json& value);

/// `parse_strict_json` and then the restricted profile. Throws InputError.
[[nodiscard]] nlohmann::json parse_profile_json(std::string_view text, const std::string& file);

/// One object of a parsed file, read field by field; every error names file and key path.
class ObjectReader {
 public:
  /// Throws InputError when `value` is not an object.
  ObjectReader(const nlohmann::json& value, std::string where);

  [[nodiscard]] bool has(const char* key) const;
  [[nodiscard]] std::string text(const char* key) const;                ///< required
  [[nodiscard]] std::string optional_text(const char* key) const;       ///< "" when absent
  [[nodiscard]] std::uint64_t count(const char* key) const;             ///< required, >= 0
  [[nodiscard]] bool flag(const char* key, bool otherwise) const;       ///< `otherwise` when absent
  [[nodiscard]] std::vector<std::string> texts(const char* key) const;  ///< empty when absent
  [[nodiscard]] ObjectReader object(const char* key) const;             ///< required
  /// Readers of the objects in an array; empty when absent.
  [[nodiscard]] std::vector<ObjectReader> objects(const char* key) const;
  /// Throws InputError when the object has a key that is not among these.
  void only(std::initializer_list<std::string_view> keys) const;
  [[nodiscard]] const nlohmann::json& value() const { return *value_; }
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  [[nodiscard]] const nlohmann::json& field(const char* key, const char* expected) const;

  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace assay::certify
