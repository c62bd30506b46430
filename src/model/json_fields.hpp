#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace assay {

/// Typed reading of one JSON object's keys; every refusal names file, key, expected, found.
/// An absent key and an explicit null are the same thing. `object` and `file` outlive this.
class JsonFields {
 public:
  /// Throws InputError when `object` is not an object.
  JsonFields(const nlohmann::json& object, const std::string& file, std::string prefix = "");

  [[nodiscard]] bool has(const char* key) const;
  [[nodiscard]] std::optional<std::size_t> size(const char* key) const;
  [[nodiscard]] std::optional<double> number(const char* key) const;
  [[nodiscard]] std::optional<bool> boolean(const char* key) const;
  [[nodiscard]] std::optional<std::string> text(const char* key) const;
  [[nodiscard]] JsonFields object(const char* key) const;

  [[nodiscard]] std::size_t need_size(const char* key) const;
  [[nodiscard]] std::string need_text(const char* key) const;

  [[noreturn]] void refuse(const char* key, const std::string& expected) const;

 private:
  [[nodiscard]] const nlohmann::json* find(const char* key) const;

  const nlohmann::json& object_;
  const std::string& file_;
  std::string prefix_;
};

}  // namespace assay
