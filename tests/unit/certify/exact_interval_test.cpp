#include "../../../certify/sign/exact_interval.hpp"

#include <catch.hpp>

#include "assay/automata/binomial.hpp"
#include "assay/base/errors.hpp"

using namespace assay;
using certify::interval_fault;

namespace {

automata::Proportion made(std::uint64_t n, std::uint64_t k, std::uint64_t u, Rational alpha) {
  return {automata::clopper_pearson(k, n, alpha).lo, automata::clopper_pearson(k + u, n, alpha).hi};
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
          if (k > 0) {
            CHECK_FALSE(
                interval_fault(n, k, u, alpha, {p.lo + 1, p.hi}).empty());  // too high is unsound
          }
          if (k + u < n) {
            CHECK_FALSE(interval_fault(n, k, u, alpha, {p.lo, p.hi - 1}).empty());
          }
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
