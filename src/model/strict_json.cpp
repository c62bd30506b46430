#include "assay/model/strict_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay {
namespace {

using nlohmann::json;

/// Builds the value event by event and stops at the first repeated key or at too deep a level;
/// the library's own builder keeps the last of two equal keys without a word.
class StrictBuilder : public nlohmann::json_sax<json> {
 public:
  StrictBuilder(const std::string& file, std::size_t max_depth)
      : file_(file), max_depth_(max_depth) {}

  json take() { return std::move(root_); }

  bool null() override { return put(json(nullptr)); }
  bool boolean(bool value) override { return put(json(value)); }
  bool number_integer(number_integer_t value) override { return put(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(json(value)); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return put(json(value));
  }
  bool string(string_t& value) override { return put(json(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) {
      throw InputError(file_ + ": key '" + visible(name) + "': expected once, found twice");
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& e) override {
    throw InputError(file_ + ": byte " + std::to_string(position) +
                     ": not JSON: " + visible(e.what()));
  }

 private:
  json* place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json& slot = parent[key_];
    slot = std::move(value);
    return &slot;
  }

  bool put(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (open_.size() >= max_depth_) {
      throw InputError(file_, "JSON nesting", "at most " + std::to_string(max_depth_) + " levels",
                       "more");
    }
    // The parent's storage does not move while a child is open: nothing is added to it then.
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& file_;
  std::size_t max_depth_;
  json root_;
  std::vector<json*> open_;
  std::string key_;
};

}  // namespace

nlohmann::json parse_strict_json(std::string_view text, const std::string& file,
                                 std::size_t max_depth) {
  // The library skips a byte order mark and takes NUL for the end of the text.
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    throw InputError(file, "byte 0", "JSON", "a byte order mark");
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw InputError(file, "byte " + std::to_string(nul), "JSON", "a NUL byte");
  }
  StrictBuilder builder(file, max_depth);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) {
    throw InputError(file + ": not JSON");
  }
  return builder.take();
}

}  // namespace assay
