#include "assay/base/text.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

/// Length of the valid UTF-8 sequence at `s`, or 0.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned lead = byte(0);
  const std::size_t n = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
  if (n == 0 || s.size() < n) {
    return 0;
  }
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool too_big = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || too_big ? 0 : n;
}

}  // namespace

std::string hex_float(double value) {
  if (!std::isfinite(value)) {
    throw PreconditionError("hex_float: not finite");
  }
  char buffer[64];
  const double magnitude = std::fabs(value);
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::hex);
  return std::string(std::signbit(value) ? "-0x" : "0x") + std::string(buffer, result.ptr);
}

double parse_hex_float(std::string_view text) {
  std::string_view body = text;
  const bool negative = !body.empty() && body.front() == '-';
  if (negative) {
    body.remove_prefix(1);
  }
  double value = 0;
  if (body.substr(0, 2) != "0x" || body.size() < 3 || body[2] == '-') {
    throw InputError("number '" + std::string(text) + "': expected a hexadecimal float");
  }
  body.remove_prefix(2);
  const auto result =
      std::from_chars(body.data(), body.data() + body.size(), value, std::chars_format::hex);
  if (result.ec != std::errc{} || result.ptr != body.data() + body.size() ||
      !std::isfinite(value)) {
    throw InputError("number '" + std::string(text) + "': expected a finite hexadecimal float");
  }
  return negative ? -value : value;
}

std::string decimal(double value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, result.ptr};
}

std::string fixed(double value, int digits) {
  char buffer[400];
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
  return {buffer, result.ptr};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == separator) {
      parts.emplace_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return parts;
}

std::string visible(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const auto c = static_cast<unsigned char>(bytes.front());
    const std::size_t n = utf8_length(bytes);
    // U+0080-U+009F and the bidirectional controls are shown by their bytes.
    const bool c1 = n == 2 && c == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0;
    const bool bidi = n == 3 && c == 0xE2 &&
                      (static_cast<unsigned char>(bytes[1]) == 0x80 ||
                       static_cast<unsigned char>(bytes[1]) == 0x81);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (n == 0 || c < 0x20 || c == 0x7F || c1 || bidi) {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", c);
      out += hex;
      bytes.remove_prefix(1);
      continue;
    } else {
      out.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      continue;
    }
    bytes.remove_prefix(1);
  }
  return out;
}

std::uint64_t parse_unsigned(std::string_view text, const std::string& what) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size() || text.empty()) {
    throw InputError(what + ": expected an unsigned number, found '" + std::string(text) + "'");
  }
  return value;
}

}  // namespace assay
