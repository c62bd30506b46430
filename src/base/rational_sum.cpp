#include "assay/base/rational_sum.hpp"

#include <utility>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t kMost = std::int64_t{1} << 53U;

/// @pre den > 0; both parts below 2^107
std::optional<Rational> reduced(Wide num, Wide den) {
  Wide a = num < 0 ? -num : num, b = den;
  while (b != 0) {
    a = std::exchange(b, a % b);
  }
  num /= a;
  den /= a;
  if (num > kMost || -num > kMost || den > kMost) {
    return std::nullopt;
  }
  return Rational{static_cast<std::int64_t>(num), static_cast<std::int64_t>(den)};
}

}  // namespace

std::optional<Rational> difference(const Rational& a, const Rational& b) {
  return sum(a, {-b.num, b.den});
}

std::optional<Rational> sum(const Rational& a, const Rational& b) {
  return reduced(Wide{a.num} * b.den + Wide{b.num} * a.den, Wide{a.den} * b.den);
}

std::optional<Rational> quotient(const Rational& a, std::uint32_t n) {
  require(n > 0, "quotient: by a number above 0");
  return reduced(a.num, Wide{a.den} * n);
}

}  // namespace assay
