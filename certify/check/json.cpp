#include "json.hpp"

#include <charconv>
#include <set>
#include <utility>

#include "reject.hpp"

namespace assay_check {
namespace {

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  Json document() {
    Json value = read_value(0);
    skip_space();
    if (at_ != bytes_.size()) {
      refuse("the end of the document");
    }
    return value;
  }

 private:
  [[noreturn]] void refuse(const std::string& expected) const {
    throw Reject("json", "expected " + expected + " at byte " + std::to_string(at_), file_);
  }
  [[nodiscard]] char peek() const { return at_ < bytes_.size() ? bytes_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') {
      ++at_;
    }
  }
  void expect(std::string_view text) {
    if (bytes_.substr(at_, text.size()) != text) {
      refuse(std::string(text));
    }
    at_ += text.size();
  }
  [[nodiscard]] bool take(char c) {
    skip_space();
    if (peek() != c) {
      return false;
    }
    ++at_;
    return true;
  }

  Json read_value(int depth) {
    if (depth > 32) {
      refuse("less nesting");
    }
    skip_space();
    Json value;
    switch (peek()) {
      case '{':
        return read_object(depth);
      case '[':
        return read_array(depth);
      case '"':
        value.kind = Json::Kind::text;
        value.word = read_string();
        return value;
      case 't':
        expect("true");
        value.kind = Json::Kind::boolean;
        value.truth = true;
        return value;
      case 'f':
        expect("false");
        value.kind = Json::Kind::boolean;
        return value;
      case 'n':
        expect("null");
        return value;
      default:
        return read_number();
    }
  }

  Json read_object(int depth) {
    Json object;
    object.kind = Json::Kind::object;
    object.file = file_;
    std::set<std::string> keys;
    ++at_;
    if (take('}')) {
      return object;
    }
    do {
      skip_space();
      std::string key = read_string();
      if (!keys.insert(key).second) {
        refuse("no second key '" + key + "'");
      }
      if (!take(':')) {
        refuse("':'");
      }
      object.members.push_back({std::move(key), read_value(depth + 1)});
    } while (take(','));
    if (!take('}')) {
      refuse("'}'");
    }
    return object;
  }

  Json read_array(int depth) {
    Json array;
    array.kind = Json::Kind::array;
    ++at_;
    if (take(']')) {
      return array;
    }
    do {
      array.items.push_back(read_value(depth + 1));
    } while (take(','));
    if (!take(']')) {
      refuse("']'");
    }
    return array;
  }

  std::size_t digits() {
    std::size_t count = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      ++count;
    }
    return count;
  }

  Json read_number() {
    const std::size_t begin = at_;
    at_ += peek() == '-' ? 1 : 0;
    const bool zero = peek() == '0';
    const std::size_t whole = digits();
    bool good = whole > 0 && (!zero || whole == 1);
    if (peek() == '.') {
      ++at_;
      good = digits() > 0 && good;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      at_ += peek() == '+' || peek() == '-' ? 1 : 0;
      good = digits() > 0 && good;
    }
    if (!good) {
      refuse("a value");
    }
    Json number;
    number.kind = Json::Kind::number;
    number.word = std::string(bytes_.substr(begin, at_ - begin));
    return number;
  }

  /// An ASCII character is decoded; another one stays as written (no key or value that is read
  /// here is not ASCII), so that equal keys stay equal.
  void read_unicode(std::string& out) {
    const std::string_view text = bytes_.substr(at_, 4);
    unsigned code = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code, 16);
    if (text.size() != 4 || error != std::errc() || end != text.data() + 4) {
      refuse("four hex digits");
    }
    at_ += 4;
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else {
      out.append("\\u").append(text);
    }
  }

  std::string read_string() {
    if (peek() != '"' || at_ >= bytes_.size()) {
      refuse("a string");
    }
    ++at_;
    std::string out;
    while (true) {
      if (at_ >= bytes_.size() || static_cast<unsigned char>(bytes_[at_]) < 32) {
        refuse("the rest of a string");
      }
      const char c = bytes_[at_++];
      if (c == '"') {
        return out;
      }
      if (c != '\\') {
        out += c;
        continue;
      }
      constexpr std::string_view kEscapes = "\"\\/bfnrt";
      constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
      const char escape = peek();
      ++at_;
      if (escape == 'u') {
        read_unicode(out);
      } else if (const auto i = kEscapes.find(escape); i != std::string_view::npos) {
        out += kMeaning[i];
      } else {
        refuse("an escape");
      }
    }
  }

  std::string_view bytes_;
  const std::string& file_;
  std::size_t at_ = 0;
};

template <typename T>
T parse_number(const Json& json, const char* expected) {
  T value = 0;
  const char* end = json.word.data() + json.word.size();
  const auto [stop, error] = std::from_chars(json.word.data(), end, value);
  if (json.kind != Json::Kind::number || error != std::errc() || stop != end) {
    throw Reject("json", std::string("expected ") + expected + ", found '" + json.word + "'");
  }
  return value;
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  if (kind != Kind::object) {
    throw Reject("json", "expected an object holding '" + std::string(key) + "'", file);
  }
  for (const auto& [name, value] : members) {
    if (name == key) {
      return value.kind == Kind::null ? nullptr : &value;
    }
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) {
    throw Reject("json", "key '" + std::string(key) + "' is missing", file);
  }
  return *value;
}

bool Json::as_bool() const {
  if (kind != Kind::boolean) {
    throw Reject("json", "expected true or false");
  }
  return truth;
}

const std::string& Json::as_text() const {
  if (kind != Kind::text) {
    throw Reject("json", "expected a string");
  }
  return word;
}

std::uint64_t Json::as_natural() const {
  const auto value = parse_number<std::uint64_t>(*this, "a natural number");
  if (value >> 53 != 0) {
    throw Reject("json", "expected a number below 2^53, found '" + word + "'");
  }
  return value;
}

double Json::as_double() const {
  return parse_number<double>(*this, "a number");
}

const std::vector<Json>& Json::as_array() const {
  if (kind != Kind::array) {
    throw Reject("json", "expected an array");
  }
  return items;
}

Json parse_json(std::string_view bytes, const std::string& file) {
  return Reader(bytes, file).document();
}

}  // namespace assay_check
