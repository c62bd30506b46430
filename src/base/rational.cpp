#include "assay/base/rational.hpp"

#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay {
namespace {

constexpr std::size_t kMaxDigits = 15;  // 10^15 < 2^53: fits everywhere downstream

std::int64_t parse_part(std::string_view text, std::string_view whole) {
  if (text.empty() || text.size() > kMaxDigits) {
    throw InputError("number '" + std::string(whole) + "': expected P/Q or a decimal of at most " +
                     std::to_string(kMaxDigits) + " digits");
  }
  return static_cast<std::int64_t>(parse_unsigned(text, "number '" + std::string(whole) + "'"));
}

}  // namespace

std::string Rational::text() const {
  return den == 1 ? std::to_string(num) : std::to_string(num) + "/" + std::to_string(den);
}

Rational parse_rational(std::string_view text) {
  std::string_view body = text;
  const bool negative = !body.empty() && body.front() == '-';
  if (negative) {
    body.remove_prefix(1);
  }
  Rational r;
  if (const auto slash = body.find('/'); slash != std::string_view::npos) {
    r.num = parse_part(body.substr(0, slash), text);
    r.den = parse_part(body.substr(slash + 1), text);
  } else if (const auto point = body.find('.'); point != std::string_view::npos) {
    const std::string digits =
        std::string(body.substr(0, point)) + std::string(body.substr(point + 1));
    r.num = parse_part(digits, text);
    for (std::size_t i = point + 1; i < body.size(); ++i) {
      r.den *= 10;
    }
  } else {
    r.num = parse_part(body, text);
  }
  if (r.den == 0) {
    throw InputError("number '" + std::string(text) + "': zero denominator");
  }
  const std::int64_t g = std::gcd(r.num, r.den);
  r.num = (negative ? -r.num : r.num) / g;
  r.den /= g;
  return r;
}

}  // namespace assay
