#include "../../../certify/sign/exact_interval.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <catch.hpp>

#include "assay/automata/binomial.hpp"
#include "assay/base/errors.hpp"

using namespace assay;
using certify::interval_fault;
namespace mp = boost::multiprecision;
using Exact = mp::number<mp::cpp_int_backend<1024, 1024, mp::signed_magnitude, mp::checked, void>>;

namespace {

automata::Proportion made(std::uint64_t n, std::uint64_t k, std::uint64_t u, Rational alpha) {
  return {automata::clopper_pearson(k, n, alpha).lo, automata::clopper_pearson(k + u, n, alpha).hi};
}

/// P(X >= k) - alpha / 2 for X ~ Binomial(n, m / 10^6), term by term and exactly: its sign.
int against_half(std::uint64_t n, std::uint64_t k, std::uint32_t m, Rational alpha) {
  Exact tail = 0, binomial = 1, all = 1;  // in units of 10^-6n
  for (std::uint64_t j = 0; j <= n; ++j) {
    Exact term = binomial;
    for (std::uint64_t i = 0; i < n; ++i) {
      term *= i < j ? m : 1000000 - m;
    }
    tail += j >= k ? term : Exact(0);
    binomial = binomial * (n - j) / (j + 1);
    all *= j < n ? 1000000 : 1;
  }
  return (tail * 2 * alpha.den).compare(all * alpha.num);
}

/// An end that is m away from its side: not too far in, and no longer so two millionths further in.
struct End {
  bool is_accepted_surely = false, may_be_accepted = false;
};
End end_of(std::uint64_t n, std::uint64_t k, std::uint32_t m, Rational alpha) {
  if (k == 0) {
    return {m == 0, m == 0};
  }
  const int here = m == 0 ? -1 : against_half(n, k, m, alpha);
  const int further = against_half(n, k, m + 2, alpha);
  return {here < 0 && further > 0, here <= 0 && further > 0};  // an exact tie is nobody's to decide
}

}  // namespace

TEST_CASE(
    "the recomputation agrees with the producer's intervals, and refuses ends moved by three "
    "millionths") {
  for (const Rational alpha : {Rational{1, 100}, Rational{1, 1200}, Rational{1, 2}}) {
    for (const std::uint64_t n : {1ULL, 2ULL, 10ULL, 333ULL, 2000ULL, 20000ULL}) {
      for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, n / 7, n / 2, n - 1, n}) {
        for (const std::uint64_t u : {std::uint64_t{0}, (n - k) / 3}) {
          const automata::Proportion p = made(n, k, u, alpha);
          INFO(n << " " << k << " " << u << " " << alpha.text());
          CHECK(interval_fault(n, k, u, alpha, {p.lo, p.hi}).empty());
          if (p.lo > 3) {
            CHECK_FALSE(interval_fault(n, k, u, alpha, {p.lo - 3, p.hi}).empty());
          }
          if (p.hi + 3 < 1000000) {
            CHECK_FALSE(interval_fault(n, k, u, alpha, {p.lo, p.hi + 3}).empty());
          }
        }
      }
    }
  }
}

TEST_CASE("what is accepted is within the exact tails, computed term by term") {
  for (const Rational alpha : {Rational{1, 100}, Rational{1, 20}, Rational{1, 2}}) {
    for (const std::uint64_t n : {1U, 2U, 5U, 12U}) {
      for (std::uint64_t k = 0; k <= n; ++k) {
        const automata::Proportion p = made(n, k, 0, alpha);
        for (std::uint32_t lo = p.lo < 3 ? 0 : p.lo - 3; lo <= p.lo + 3; ++lo) {
          const bool accepted = interval_fault(n, k, 0, alpha, {lo, p.hi}).empty();
          const End end = end_of(n, k, lo, alpha);
          INFO(n << " " << k << " " << lo << " " << alpha.text());
          CHECK((accepted ? end.may_be_accepted : !end.is_accepted_surely));
        }
        for (std::uint32_t hi = p.hi - 3; hi <= std::min(p.hi + 3, 1000000U); ++hi) {
          const bool accepted = interval_fault(n, k, 0, alpha, {p.lo, hi}).empty();
          const End end = end_of(n, n - k, 1000000 - hi, alpha);
          INFO(n << " " << k << " to " << hi << " " << alpha.text());
          CHECK((accepted ? end.may_be_accepted : !end.is_accepted_surely));
        }
      }
    }
  }
}

TEST_CASE("the zero-failure interval is the closed form") {
  // n = 20,000, alpha = 1/50 (two-sided): hi = 1 - 0.01^(1/20000) = 0.00023023...
  CHECK(interval_fault(20000, 0, 0, {1, 50}, {0, 231}).empty());
  CHECK_FALSE(interval_fault(20000, 0, 0, {1, 50}, {0, 230}).empty());
  CHECK_FALSE(interval_fault(20000, 0, 0, {1, 50}, {1, 231}).empty());
}

TEST_CASE("counts and levels that are none are refused") {
  CHECK_FALSE(interval_fault(0, 0, 0, {1, 100}, {0, 1000000}).empty());
  CHECK_FALSE(interval_fault(10, 11, 0, {1, 100}, {0, 1000000}).empty());
  CHECK_FALSE(interval_fault(10, 5, 6, {1, 100}, {0, 1000000}).empty());
  CHECK_FALSE(interval_fault(10, 5, ~std::uint64_t{0}, {1, 100}, {0, 1000000}).empty());
  CHECK_FALSE(interval_fault(certify::kMostTrials + 1, 0, 0, {1, 100}, {0, 1}).empty());
  CHECK_FALSE(interval_fault(10, 0, 0, {0, 1}, {0, 1000000}).empty());
  CHECK_FALSE(interval_fault(10, 0, 0, {1, 1}, {0, 1000000}).empty());
}

TEST_CASE("ends are read strictly") {
  CHECK(certify::parse_millionths("0.031250") == 31250);
  CHECK(certify::parse_millionths("1.000000") == 1000000);
  for (const char* bad :
       {"", "1", "0.5", "1.000001", "2.000000", "-0.50000", "0.0000 1", "0.1234567", "nan"}) {
    CHECK_THROWS_AS(certify::parse_millionths(bad), InputError);
  }
}
