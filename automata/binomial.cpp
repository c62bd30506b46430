#include "assay/automata/binomial.hpp"

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

constexpr std::uint32_t kOne = 1000000;

/// Intervals that start as non-negative: rounding must not push the low end below zero.
Interval non_negative(Interval x) {
  return {x.lo < 0 ? 0 : x.lo, x.hi};
}

Interval ratio(std::uint64_t a, std::uint64_t b) {
  return Interval(static_cast<double>(a)) / Interval(static_cast<double>(b));
}

/// P(X >= k) at p = m / 10^6 is surely <= half.
bool upper_tail_small(std::uint64_t n, std::uint64_t k, std::uint32_t m, Interval half) {
  return binomial_tail(n, k, ratio(m, kOne)).hi <= half.lo;
}

}  // namespace

Interval binomial_tail(std::uint64_t n, std::uint64_t k, Interval p) {
  require(p.lo > 0 && p.hi < 1 && n < (std::uint64_t{1} << 40U), "binomial_tail: 0 < p < 1");
  if (k == 0) {
    return Interval(1.0);
  }
  if (k > n) {
    return Interval(0.0);
  }
  // Weights relative to the one at `centre`, w(j+1) / w(j) = (n-j)/(j+1) * p/(1-p): no
  // factorial, no logarithm; what underflows keeps the enclosure [0, tiny].
  const Interval odds = p / (Interval(1.0) - p);
  const auto centre = static_cast<std::uint64_t>(static_cast<double>(n) * p.lo);
  Interval below(0.0), tail(0.0);
  const auto add = [&](std::uint64_t j, Interval w) { (j >= k ? tail : below) += w; };
  Interval w(1.0);
  add(centre, w);
  for (std::uint64_t j = centre; j < n; ++j) {
    w = non_negative(w * ratio(n - j, j + 1) * odds);
    add(j + 1, w);
  }
  w = Interval(1.0);
  for (std::uint64_t j = centre; j > 0; --j) {
    w = non_negative(w * ratio(j, n - j + 1) / odds);
    add(j - 1, w);
  }
  // tail / (tail + below), each end with the ends that make it extreme.
  tail = non_negative(tail);
  below = non_negative(below);
  const Interval lo = Interval(tail.lo) / (Interval(tail.lo) + Interval(below.hi));
  const Interval hi = Interval(tail.hi) / (Interval(tail.hi) + Interval(below.lo));
  return {lo.lo < 0 ? 0 : lo.lo, hi.hi > 1 ? 1 : hi.hi};
}

Proportion clopper_pearson(std::uint64_t k, std::uint64_t n, Rational alpha) {
  require(k <= n, "clopper_pearson: more successes than trials");
  require(alpha.num > 0 && alpha.num < alpha.den, "clopper_pearson: 0 < alpha < 1");
  const Interval half =
      Interval(static_cast<double>(alpha.num)) / Interval(2 * static_cast<double>(alpha.den));
  Proportion result;
  // Largest m with P(X >= k; m) surely <= alpha/2; the tail grows with m.
  std::uint32_t good = 0, bad = kOne;
  while (k > 0 && bad - good > 1) {
    const std::uint32_t middle = good + (bad - good) / 2;
    (upper_tail_small(n, k, middle, half) ? good : bad) = middle;
  }
  result.lo = good;
  // P(X <= k; m) = P(n - X >= n - k; 1 - m): the same search on the failures.
  good = 0;
  bad = kOne;
  while (k < n && bad - good > 1) {
    const std::uint32_t middle = good + (bad - good) / 2;
    (upper_tail_small(n, n - k, middle, half) ? good : bad) = middle;
  }
  result.hi = kOne - good;
  return result;
}

std::string millionths(std::uint32_t value) {
  std::string digits = std::to_string(value % kOne);
  return std::to_string(value / kOne) + "." + std::string(6 - digits.size(), '0') + digits;
}

}  // namespace assay::automata
