#include "interval_chain_number.hpp"

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>

#include "interval_chain_row.hpp"

namespace assay::automata {
namespace {

using Integer = boost::multiprecision::cpp_int;
constexpr std::size_t kMaxDigits = 400;
constexpr int kMaxExponent = 400;

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDigits &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// In base ten, whatever zeros come first (Boost reads "025" as octal).
Integer integer_of(std::string_view digits) {
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return Integer(std::string(digits.substr(first)));
}

Integer power(unsigned base, int n) {
  Integer out = 1;
  for (; n > 0; --n) {
    out *= base;
  }
  return out;
}

/// The exponent of "1e-9"; 0 when there is none.
std::optional<int> take_exponent(std::string_view& text) {
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos) {
    return 0;
  }
  std::string_view digits = text.substr(e + 1);
  text = text.substr(0, e);
  const bool negative = digits.starts_with('-');
  digits.remove_prefix(negative || digits.starts_with('+') ? 1 : 0);
  if (!is_digits(digits) || digits.size() > 3 || std::stoi(std::string(digits)) > kMaxExponent) {
    return std::nullopt;
  }
  const int value = std::stoi(std::string(digits));
  return negative ? -value : value;
}

struct Ratio {
  Integer num, den;
};

std::optional<Ratio> ratio_of(std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view num = text.substr(0, slash), den = text.substr(slash + 1);
    if (!is_digits(num) || !is_digits(den) || integer_of(den) == 0) {
      return std::nullopt;
    }
    return Ratio{integer_of(num), integer_of(den)};
  }
  const std::optional<int> exponent = take_exponent(text);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view places = text.substr(std::min(point + 1, text.size()));
  const std::string digits = std::string(whole) + std::string(places);
  if (!exponent || !is_digits(digits) || whole.empty() || (point < text.size() && places.empty())) {
    return std::nullopt;
  }
  const int shift = *exponent - static_cast<int>(places.size());
  return shift >= 0 ? Ratio{integer_of(digits) * power(10, shift), 1}
                    : Ratio{integer_of(digits), power(10, -shift)};
}

/// P/Q of at most 18 digits each, in 128 bits; nothing for another word.
std::optional<GridInterval> quick_fraction(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash > 18 || text.size() - slash > 19 ||
      !is_digits(text.substr(0, slash)) || !is_digits(text.substr(slash + 1))) {
    return std::nullopt;
  }
  const auto number = [](std::string_view digits) {
    Grid n = 0;
    for (const char c : digits) {
      n = n * 10 + static_cast<Grid>(c - '0');
    }
    return n;
  };
  const Grid num = number(text.substr(0, slash)), den = number(text.substr(slash + 1));
  if (den == 0 || num > den) {
    return std::nullopt;
  }
  const Wide scaled = Wide{num} * kGridOne;
  return GridInterval{static_cast<Grid>(scaled / den), static_cast<Grid>((scaled + den - 1) / den)};
}

}  // namespace

std::optional<GridInterval> grid_around(std::string_view text) {
  if (const auto quick = quick_fraction(text)) {
    return quick;
  }
  const std::optional<Ratio> ratio = ratio_of(text);
  if (!ratio || ratio->num > ratio->den) {
    return std::nullopt;
  }
  const Integer scaled = ratio->num * kGridOne;
  const Integer below = scaled / ratio->den;
  const Integer above = (scaled + ratio->den - 1) / ratio->den;
  return GridInterval{below.convert_to<Grid>(), above.convert_to<Grid>()};
}

std::string exact_decimal(Grid value) {
  Integer digits = Integer(value) * power(5, 40);  // value 10^40 / 2^40
  std::string places = digits.str();
  places = std::string(places.size() > 40 ? 0 : 41 - places.size(), '0') + places;
  std::string out = places.substr(0, places.size() - 40) + "." + places.substr(places.size() - 40);
  out.erase(std::max(out.find_last_not_of('0') + 1, out.find('.') + 2));
  return out;
}

}  // namespace assay::automata
