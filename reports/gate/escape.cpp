#include "escape.hpp"

#include <algorithm>

namespace assay::report {
namespace {

constexpr char32_t kOdd = 0xFFFD;
constexpr std::size_t kMaxLetters = 2000;

bool hides(char32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c & 0xFFFEU) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

/// The letter at `at`, which moves on; kOdd and one byte on where the bytes are no shortest UTF-8 of a letter.
char32_t next_letter(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (size == 1) {
    ++at;
    return first;
  }
  char32_t value = first & (0x7FU >> size);
  bool good = first >= 0xC2 && first <= 0xF4 && at + size <= text.size();
  for (std::size_t i = 1; good && i < size; ++i) {
    good = (byte(at + i) & 0xC0U) == 0x80;
    value = (value << 6U) | (byte(at + i) & 0x3FU);
  }
  const char32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  good = good && value >= least && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  at += good ? size : 1;
  return good ? value : kOdd;
}

bool is_control(char32_t c) {
  return c < 0x20 || c == 0x7F;
}

/// The picture of a control.
char32_t picture(char32_t c) {
  return c == 0x7F ? 0x2421 : 0x2400 + c;
}

std::string percent(unsigned char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  return {'%', kHex[c >> 4U], kHex[c & 15U]};
}

}  // namespace

std::vector<char32_t> letters(std::string_view text) {
  std::vector<char32_t> out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t letter = next_letter(text, at);
    out.push_back(hides(letter) ? kOdd : letter);
  }
  return out;
}

std::string utf8(char32_t c) {
  const auto byte = [](char32_t v) { return static_cast<char>(static_cast<unsigned char>(v)); };
  if (c < 0x80) {
    return {byte(c)};
  }
  if (c < 0x800) {
    return {byte(0xC0U | (c >> 6U)), byte(0x80U | (c & 0x3FU))};
  }
  if (c < 0x10000) {
    return {byte(0xE0U | (c >> 12U)), byte(0x80U | ((c >> 6U) & 0x3FU)), byte(0x80U | (c & 0x3FU))};
  }
  return {byte(0xF0U | (c >> 18U)), byte(0x80U | ((c >> 12U) & 0x3FU)),
          byte(0x80U | ((c >> 6U) & 0x3FU)), byte(0x80U | (c & 0x3FU))};
}

std::string clean(std::string_view text) {
  std::string out;
  for (const char32_t c : letters(text)) {
    out += utf8(is_control(c) ? picture(c) : c);
  }
  return out;
}

std::string markdown(std::string_view text) {
  static constexpr std::string_view kMarks = "\\`*_{}[]()<>#+-.!|~&\"'$^=:@/";
  std::string out;
  std::size_t shown = 0;
  for (const char32_t c : letters(text)) {
    if (++shown > kMaxLetters) {
      return out + "…";
    }
    if (is_control(c)) {
      out += utf8(picture(c));
    } else if (c < 0x80 && kMarks.find(static_cast<char>(c)) != std::string_view::npos) {
      out += "&#" + std::to_string(static_cast<unsigned>(c)) + ";";
    } else {
      out += utf8(c);
    }
  }
  return out;
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char32_t c : letters(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += utf8(is_control(c) ? picture(c) : c);
    }
  }
  return out;
}

std::string workflow_message(std::string_view text) {
  std::string out;
  for (const char32_t c : letters(text)) {
    out += c == '%'    ? "%25"
           : c == '\r' ? "%0D"
           : c == '\n' ? "%0A"
                       : utf8(is_control(c) ? picture(c) : c);
  }
  return out;
}

std::string workflow_property(std::string_view text) {
  std::string out;
  for (const char c : workflow_message(text)) {
    out += c == ':' ? std::string("%3A") : c == ',' ? std::string("%2C") : std::string(1, c);
  }
  return out;
}

std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : percent(static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace assay::report
