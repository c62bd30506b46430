#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay_check {

/// A JSON value. Numbers keep their text; the accessors throw Reject("json", …) naming the
/// file on another type.
struct Json {
  struct Member;
  enum class Kind { null, boolean, number, text, array, object };
  Kind kind = Kind::null;
  bool truth = false;
  std::string word;  ///< of a number or a text
  std::vector<Json> items;
  std::vector<Member> members;
  std::string file;  ///< for messages; set on objects only

  [[nodiscard]] const Json* find(std::string_view key) const;  ///< nullptr: absent or null
  [[nodiscard]] const Json& at(std::string_view key) const;
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] const std::string& as_text() const;
  [[nodiscard]] std::uint64_t as_natural() const;  ///< below 2^53, decimal digits only
  [[nodiscard]] double as_double() const;          ///< nearest double of a number
  [[nodiscard]] const std::vector<Json>& as_array() const;
};

struct Json::Member {
  std::string name;
  Json value;
};

/// Strict RFC 8259: one value, no duplicate keys, depth at most 32, optional white space
/// around. Throws Reject("json", …).
[[nodiscard]] Json parse_json(std::string_view bytes, const std::string& file);

}  // namespace assay_check
