#include "lexis.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "reject.hpp"

namespace assay_check {
namespace {

[[noreturn]] void refuse(const std::string& expected, std::string_view found) {
  throw Reject("lexis",
               "expected " + expected + ", found '" + std::string(found.substr(0, 80)) + "'");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

/// Decimal without sign or leading zero, at most 15 digits.
std::int64_t parse_natural(std::string_view word, const char* expected) {
  if (word.empty() || word.size() > 15 || !std::all_of(word.begin(), word.end(), is_digit) ||
      (word.size() > 1 && word.front() == '0')) {
    refuse(expected, word);
  }
  std::int64_t value = 0;
  for (const char c : word) {
    value = value * 10 + (c - '0');
  }
  return value;
}

int parse_exponent(std::string_view text, std::string_view word) {
  if (text.size() < 2 || text.size() > 5 || (text[0] != '+' && text[0] != '-') ||
      !std::all_of(text.begin() + 1, text.end(), is_digit)) {
    refuse("a hexadecimal number", word);
  }
  int value = 0;
  for (const char c : text.substr(1)) {
    value = value * 10 + (c - '0');
  }
  return text[0] == '-' ? -value : value;
}

}  // namespace

std::string Fraction::text() const {
  return den == 1 ? std::to_string(num) : std::to_string(num) + "/" + std::to_string(den);
}

bool Fraction::equals(const Fraction& other) const {
  __extension__ using Wide = __int128;
  return static_cast<Wide>(num) * other.den == static_cast<Wide>(other.num) * den;
}

std::string read_file(const std::string& path, std::size_t limit) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) {
    throw Reject("file", "cannot be read", path);
  }
  if (size > limit) {
    throw Reject("file", "larger than the limit of " + std::to_string(limit) + " bytes", path);
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!in || !in.read(bytes.data(), static_cast<std::streamsize>(size)) ||
      in.peek() != std::ifstream::traits_type::eof()) {
    throw Reject("file", "cannot be read", path);
  }
  return bytes;
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return text;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  for (const char c : line) {
    if (c < 32 || c > 126) {
      refuse("printable ASCII", line);
    }
  }
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    if (end == begin) {
      refuse("words with one space between", line);
    }
    words.push_back(line.substr(begin, end - begin));
    if (end == line.size()) {
      return words;
    }
    begin = end + 1;
  }
}

bool is_id(std::string_view word) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !word.empty() && word.size() <= 64 && letter(word[0]) &&
         std::all_of(word.begin(), word.end(),
                     [&](char c) { return letter(c) || is_digit(c) || c == '.' || c == '-'; });
}

std::string parse_id(std::string_view word) {
  if (!is_id(word)) {
    refuse("an identifier", word);
  }
  return std::string(word);
}

std::size_t parse_nat(std::string_view word) {
  const std::int64_t value = parse_natural(word, "a natural number");
  if (value >= std::int64_t{1} << 31) {
    refuse("a number below 2^31", word);
  }
  return static_cast<std::size_t>(value);
}

std::size_t parse_nat_below(std::string_view word, std::size_t limit, const char* what) {
  const std::size_t value = parse_nat(word);
  if (!(value < limit)) {
    refuse(std::string(what) + " below " + std::to_string(limit), word);
  }
  return value;
}

double parse_hex(std::string_view word) {
  std::string_view rest = word;
  const bool negative = rest.starts_with('-');
  rest.remove_prefix(negative ? 1 : 0);
  const std::size_t p = rest.find('p');
  if (!rest.starts_with("0x") || p == std::string_view::npos) {
    refuse("a hexadecimal number", word);
  }
  const std::string_view digits = rest.substr(2, p - 2);
  const bool point = digits.size() > 1;
  if (digits.empty() || digits.size() > 17 || (point && (digits[1] != '.' || digits.size() == 2))) {
    refuse("a hexadecimal number", word);
  }
  std::uint64_t mantissa = 0;
  for (std::size_t i = 0; i < digits.size(); i += i == 0 ? 2 : 1) {  // the point is at 1
    const char c = digits[i];
    if (!is_hex_digit(c)) {
      refuse("a hexadecimal number", word);
    }
    mantissa = mantissa << 4 | static_cast<std::uint64_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  const int places = point ? static_cast<int>(digits.size()) - 2 : 0;
  const int exponent = parse_exponent(rest.substr(p + 1), word) - 4 * places;
  const auto whole = static_cast<double>(mantissa);
  const double value = std::ldexp(whole, exponent);
  const bool rounded = mantissa != 0 && std::ldexp(value, -exponent) != whole;
  const bool long_mantissa =
      mantissa != 0 && std::bit_width(mantissa) - std::countr_zero(mantissa) > 53;
  if (!(std::fabs(value) <= 0x1p1000) || rounded || long_mantissa) {
    refuse("a finite double, exactly", word);
  }
  return negative ? -value : value;
}

Fraction parse_fraction(std::string_view word) {
  std::string_view rest = word;
  const bool negative = rest.starts_with('-');
  rest.remove_prefix(negative ? 1 : 0);
  const std::size_t slash = rest.find('/');
  Fraction f;
  f.num = parse_natural(rest.substr(0, slash), "a fraction P/Q");
  if (slash != std::string_view::npos) {
    f.den = parse_natural(rest.substr(slash + 1), "a fraction P/Q");
  }
  if (f.den <= 0) {
    refuse("a fraction with a positive denominator", word);
  }
  f.num = negative ? -f.num : f.num;
  return f;
}

std::string parse_sha(std::string_view word) {
  if (word.size() != 64 || !std::all_of(word.begin(), word.end(), is_hex_digit)) {
    refuse("a SHA-256 of 64 lowercase hex digits", word);
  }
  return std::string(word);
}

}  // namespace assay_check
