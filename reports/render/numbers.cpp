#include "numbers.hpp"

#include <charconv>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::report {
namespace {

constexpr int kDigits = 4;

std::optional<double> plain_decimal(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

/// Plain notation where that is short, exponent notation elsewhere.
std::string digits(double value) {
  const double magnitude = std::fabs(value);
  if (value == 0) {
    return "0";
  }
  if (magnitude >= 1e6 || magnitude < 1e-4) {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                   std::chars_format::scientific, kDigits - 1);
    return {buffer, end.ptr};
  }
  const int before = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  return fixed(value, std::max(0, kDigits - before));
}

}  // namespace

std::optional<double> drawing_value(const std::string& text) {
  if (text.find("0x") != std::string::npos) {
    try {
      return parse_hex_float(text);
    } catch (const InputError&) {
      return std::nullopt;
    }
  }
  if (const auto slash = text.find('/'); slash != std::string::npos) {
    const auto above = plain_decimal(std::string_view(text).substr(0, slash));
    const auto below = plain_decimal(std::string_view(text).substr(slash + 1));
    return above && below && *below > 0 ? std::optional(*above / *below) : std::nullopt;
  }
  return plain_decimal(text);
}

std::string short_number(double value, Towards direction) {
  double shown = value;
  std::string text = digits(value);
  for (int i = 0; i < 4; ++i) {
    const double read = plain_decimal(text).value_or(value);
    const bool wrong =
        (direction == Towards::up && read < value) || (direction == Towards::down && read > value);
    if (!wrong) {
      break;
    }
    const double unit = std::pow(10.0, std::floor(std::log10(std::fabs(value))) + 1 - kDigits);
    shown += direction == Towards::up ? unit : -unit;
    text = digits(shown);
  }
  if (direction == Towards::nearest && text.find('e') == std::string::npos &&
      text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    text.erase(text.find_last_not_of('.') + 1);
  }
  return text[0] == '-' ? "\xe2\x88\x92" + text.substr(1) : text;  // a true minus sign
}

std::string short_number(const std::string& text, Towards direction) {
  const std::optional<double> value = drawing_value(text);
  const bool hex = text.find("0x") != std::string::npos;
  if (!value || (!hex && text.size() <= 8)) {
    return text;
  }
  return short_number(*value, direction);
}

}  // namespace assay::report
