#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "assay/base/text.hpp"
#include "assay/report/render.hpp"
#include "html.hpp"

namespace assay::report {
namespace {

constexpr std::size_t kMaxSvgBytes = std::size_t{8} << 20;
constexpr std::size_t kMaxDepth = 64;

constexpr std::array<std::string_view, 13> kElements = {
    "svg",     "g",      "title", "desc", "path", "polygon", "polyline",
    "ellipse", "circle", "rect",  "line", "text", "tspan"};

constexpr std::array<std::string_view, 36> kAttributes = {"cx",
                                                          "cy",
                                                          "d",
                                                          "dominant-baseline",
                                                          "dx",
                                                          "dy",
                                                          "fill",
                                                          "fill-opacity",
                                                          "font-family",
                                                          "font-size",
                                                          "font-style",
                                                          "font-weight",
                                                          "height",
                                                          "opacity",
                                                          "points",
                                                          "preserveAspectRatio",
                                                          "r",
                                                          "rx",
                                                          "ry",
                                                          "stroke",
                                                          "stroke-dasharray",
                                                          "stroke-linecap",
                                                          "stroke-linejoin",
                                                          "stroke-opacity",
                                                          "stroke-width",
                                                          "text-anchor",
                                                          "transform",
                                                          "viewBox",
                                                          "width",
                                                          "x",
                                                          "x1",
                                                          "x2",
                                                          "y",
                                                          "y1",
                                                          "y2",
                                                          "textLength"};

/// Said by common drawing tools and without effect inside a page: left out.
constexpr std::array<std::string_view, 9> kDropped = {
    "id",      "class", "xmlns",      "xmlns:xlink",    "xml:space",
    "version", "role",  "aria-label", "aria-labelledby"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Numbers, colours, names and path commands; nothing that can refer to anything.
bool plain_value(std::string_view value) {
  for (const char c : value) {
    const bool fine = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                      std::string_view(" \n\t.,#%()+-_").find(c) != std::string_view::npos;
    if (!fine) {
      return false;
    }
  }
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("url") == std::string::npos;
}

/// One pass over the tags; anything unexpected ends it with a reason.
class Cleaner {
 public:
  explicit Cleaner(std::string_view svg) : rest_(svg) {}

  std::string run(std::string& reason) {
    while (reason_.empty() && !rest_.empty()) {
      if (rest_.front() != '<') {
        character_data();
      } else if (rest_.substr(0, 4) == "<!--") {
        skip("-->");
      } else if (rest_.substr(0, 2) == "<?") {
        skip("?>");
      } else if (rest_.substr(0, 9) == "<!DOCTYPE") {
        doctype();
      } else if (rest_.substr(0, 2) == "</") {
        end_tag();
      } else {
        start_tag();
      }
    }
    if (reason_.empty() && (!open_.empty() || !seen_svg_)) {
      fail("it is not one complete drawing");
    }
    reason = reason_;
    return reason_.empty() ? out_ : "";
  }

 private:
  void fail(const std::string& why) {
    if (reason_.empty()) {
      reason_ = why;
    }
  }

  void skip(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) {
      fail("a comment or instruction does not end");
      return;
    }
    rest_.remove_prefix(at + end.size());
  }

  void doctype() {
    const std::size_t end = rest_.find('>');
    if (end == std::string_view::npos || rest_.substr(0, end).find('[') != std::string_view::npos) {
      fail("it declares entities");
      return;
    }
    rest_.remove_prefix(end + 1);
  }

  /// The five named entities and numeric ones, decoded; false on any other.
  static bool decode(std::string_view text, std::string& out) {
    static constexpr std::array<std::pair<std::string_view, char>, 6> kNamed = {
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", ' '}}};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '&') {
        out.push_back(text[i]);
        continue;
      }
      const std::size_t end = text.find(';', i);
      if (end == std::string_view::npos || end - i > 9) {
        return false;
      }
      const std::string name(text.substr(i + 1, end - i - 1));
      const auto named = std::find_if(kNamed.begin(), kNamed.end(),
                                      [&](const auto& entry) { return entry.first == name; });
      if (named != kNamed.end()) {
        out.push_back(named->second);
      } else if (!decode_number(name, out)) {
        return false;
      }
      i = end;
    }
    return true;
  }

  static bool decode_number(const std::string& name, std::string& out) {
    const bool hex = name.size() > 2 && name[0] == '#' && (name[1] == 'x' || name[1] == 'X');
    if (name.size() < 2 || name[0] != '#') {
      return false;
    }
    unsigned long code = 0;
    for (const char c : name.substr(hex ? 2 : 1)) {
      const std::size_t digit =
          std::string_view("0123456789abcdef")
              .find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      if (digit >= (hex ? 16U : 10U)) {
        return false;
      }
      code = code * (hex ? 16U : 10U) + digit;
    }
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xC0U | (code >> 6U)));
      out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xE0U | (code >> 12U)));
      out.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)));
      out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    } else {
      return false;
    }
    return true;
  }

  void character_data() {
    const std::size_t end = std::min(rest_.find('<'), rest_.size());
    std::string text;
    if (!decode(rest_.substr(0, end), text)) {
      fail("it uses an entity that is not known");
      return;
    }
    const bool shown = !open_.empty() && (open_.back() == "text" || open_.back() == "tspan" ||
                                          open_.back() == "title" || open_.back() == "desc");
    if (shown) {
      out_ += esc(text);
    } else if (text.find_first_not_of(" \t\r\n") != std::string::npos) {
      fail("there is text outside of text elements");
    }
    rest_.remove_prefix(end);
  }

  void end_tag() {
    const std::size_t end = rest_.find('>');
    if (end == std::string_view::npos || open_.empty() ||
        rest_.substr(2, end - 2) != open_.back()) {
      fail("its tags do not match");
      return;
    }
    out_ += "</" + open_.back() + ">";
    open_.pop_back();
    rest_.remove_prefix(end + 1);
  }

  void start_tag() {
    std::size_t at = 1;
    while (at < rest_.size() && std::isalnum(static_cast<unsigned char>(rest_[at])) != 0) {
      ++at;
    }
    const std::string name(rest_.substr(1, at - 1));
    if (!among(kElements, name)) {
      fail("element '" + visible(name.substr(0, 40)) + "' is not allowed");
      return;
    }
    if (open_.empty() && (name != "svg" || seen_svg_)) {
      fail("it is not one svg element");
      return;
    }
    seen_svg_ = true;
    rest_.remove_prefix(at);
    out_ += "<" + name;
    attributes();
    const bool empty = rest_.substr(0, 2) == "/>";
    if (!reason_.empty() || (!empty && rest_.substr(0, 1) != ">")) {
      fail("a tag does not end");
      return;
    }
    rest_.remove_prefix(empty ? 2 : 1);
    out_ += empty ? "/>" : ">";
    if (!empty) {
      open_.push_back(name);
      if (open_.size() > kMaxDepth) {
        fail("it is nested too deeply");
      }
    }
  }

  void attributes() {
    while (reason_.empty()) {
      const std::size_t start = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
      rest_.remove_prefix(start);
      if (rest_.empty() || rest_.front() == '>' || rest_.front() == '/') {
        return;
      }
      const std::size_t equals = rest_.find('=');
      if (equals == std::string_view::npos || equals + 2 > rest_.size() || equals > 40 ||
          (rest_[equals + 1] != '"' && rest_[equals + 1] != '\'')) {
        fail("an attribute has no value");
        return;
      }
      const std::string name(rest_.substr(0, equals));
      const std::size_t end = rest_.find(rest_[equals + 1], equals + 2);
      if (end == std::string_view::npos) {
        fail("an attribute does not end");
        return;
      }
      attribute(name, rest_.substr(equals + 2, end - equals - 2));
      rest_.remove_prefix(end + 1);
    }
  }

  void attribute(const std::string& name, std::string_view value) {
    if (among(kDropped, name)) {
      return;
    }
    if (!among(kAttributes, name) || !plain_value(value)) {
      fail("attribute '" + visible(name) + "' is not allowed or has a value that is not plain");
      return;
    }
    if (open_.empty() && (name == "width" || name == "height")) {
      return;  // the page gives the size; the view box keeps the shape
    }
    out_ += " " + name + "=\"" + std::string(value) + "\"";
  }

  std::string_view rest_;
  std::string out_;
  std::string reason_;
  std::vector<std::string> open_;
  bool seen_svg_ = false;
};

}  // namespace

std::string clean_svg(std::string_view svg, std::string& reason) {
  if (svg.size() > kMaxSvgBytes) {
    reason = "it is larger than " + std::to_string(kMaxSvgBytes) + " bytes";
    return "";
  }
  return Cleaner(svg).run(reason);
}

}  // namespace assay::report
