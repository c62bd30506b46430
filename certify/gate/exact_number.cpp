#include "exact_number.hpp"

#include <string>

namespace assay::certify {
namespace {

using boost::multiprecision::cpp_int;

constexpr std::size_t kMaxText = 1000;
constexpr int kMaxExponent = 5000;

int digit_of(char c, int base) {
  const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;
  return value < base ? value : -1;
}

/// Digits with at most one point in between: value = whole * base^-places.
struct Digits {
  cpp_int whole;
  unsigned places = 0;
};

std::optional<Digits> read_digits(std::string_view text, int base) {
  Digits out;
  bool point = false;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    const int digit = digit_of(c, base);
    if (digit < 0) {
      return std::nullopt;
    }
    out.whole = out.whole * base + digit;
    out.places += point ? 1U : 0U;
    any = true;
  }
  return any && !text.starts_with('.') && !text.ends_with('.') ? std::optional(out) : std::nullopt;
}

std::optional<int> read_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (!negative && !text.starts_with('+')) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9' || value > kMaxExponent) {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return text.size() > 1 && value <= kMaxExponent ? std::optional(negative ? -value : value)
                                                  : std::nullopt;
}

std::optional<ExactNumber> read_hex(std::string_view text) {
  const std::size_t p = text.find('p');
  const std::optional<Digits> digits = read_digits(text.substr(0, p), 16);
  const std::optional<int> exponent =
      p == std::string_view::npos ? std::nullopt : read_exponent(text.substr(p + 1));
  if (!digits || !exponent) {
    return std::nullopt;
  }
  const int power = *exponent - 4 * static_cast<int>(digits->places);
  const cpp_int two = cpp_int(1) << static_cast<unsigned>(power < 0 ? -power : power);
  return power < 0 ? ExactNumber(digits->whole, two) : ExactNumber(digits->whole * two);
}

}  // namespace

std::optional<ExactNumber> exact_number(std::string_view text) {
  if (text.size() > kMaxText) {
    return std::nullopt;
  }
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  std::optional<ExactNumber> value;
  if (text.starts_with("0x")) {
    value = read_hex(text.substr(2));
  } else if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::optional<Digits> above = read_digits(text.substr(0, slash), 10);
    const std::optional<Digits> below = read_digits(text.substr(slash + 1), 10);
    if (above && below && above->places == 0 && below->places == 0 && below->whole != 0) {
      value = ExactNumber(above->whole, below->whole);
    }
  } else if (const std::optional<Digits> digits = read_digits(text, 10)) {
    value = ExactNumber(digits->whole, boost::multiprecision::pow(cpp_int(10), digits->places));
  }
  return value && negative ? std::optional<ExactNumber>(-*value) : value;
}

}  // namespace assay::certify
