#include "interval.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "reject.hpp"

namespace assay_check {
namespace {

static_assert(std::numeric_limits<double>::is_iec559 && std::numeric_limits<float>::is_iec559);

constexpr double kLargest = 0x1p1000;  // keeps the error-free sums below free of overflow

// a + b = s + error exactly (Knuth's TwoSum; round to nearest, no overflow).
double sum_error(double a, double b, double s) {
  const double b_part = s - a;
  return (a - (s - b_part)) + (b - b_part);
}

double sum_down(double a, double b) {
  return -sum_up(-a, -b);
}

}  // namespace

Interval::Interval(double exact) : Interval(exact, exact) {}

Interval::Interval(double lo, double hi) : lo_(lo), hi_(hi) {
  if (!(lo >= -kLargest && lo <= hi && hi <= kLargest)) {
    throw Reject("arithmetic", "overflow or not a number");
  }
}

double next_up(double x) {
  if (x == 0) {
    return std::numeric_limits<double>::denorm_min();
  }
  const auto bits = std::bit_cast<std::int64_t>(x);
  return std::bit_cast<double>(x > 0 ? bits + 1 : bits - 1);
}

double next_down(double x) {
  return -next_up(-x);
}

double sum_up(double a, double b) {
  const double s = a + b;
  return sum_error(a, b, s) > 0 ? next_up(s) : s;
}

double product_up(double a, double b) {
  return a == 0 || b == 0 ? 0 : next_up(a * b);
}

Interval operator+(const Interval& a, const Interval& b) {
  return {sum_down(a.lo(), b.lo()), sum_up(a.hi(), b.hi())};
}

Interval operator-(const Interval& a) {
  return {-a.hi(), -a.lo()};
}

Interval operator-(const Interval& a, const Interval& b) {
  return a + (-b);
}

Interval operator*(const Interval& a, const Interval& b) {
  if (a.is_zero() || b.is_zero()) {
    return {};
  }
  const double p = a.lo() * b.lo();
  const double q = a.lo() * b.hi();
  const double r = a.hi() * b.lo();
  const double s = a.hi() * b.hi();
  return {next_down(std::min(std::min(p, q), std::min(r, s))),
          next_up(std::max(std::max(p, q), std::max(r, s)))};
}

Interval operator/(const Interval& a, const Interval& b) {
  if (!(b.lo() > 0)) {
    throw Reject("arithmetic", "division by an interval that is not positive");
  }
  if (a.is_zero()) {
    return {};
  }
  return {next_down(a.lo() / (a.lo() >= 0 ? b.hi() : b.lo())),
          next_up(a.hi() / (a.hi() >= 0 ? b.lo() : b.hi()))};
}

Interval positive_part(const Interval& a) {
  return {std::max(a.lo(), 0.0), std::max(a.hi(), 0.0)};
}

Interval hull(const Interval& a, const Interval& b) {
  return {std::min(a.lo(), b.lo()), std::max(a.hi(), b.hi())};
}

Interval square_root(const Interval& a) {
  if (!(a.lo() > 0)) {
    throw Reject("arithmetic", "square root of an interval that is not positive");
  }
  constexpr double kTiny = 0x1p-600,
                   kScale = 0x1p600;  // the square of a small root is rounded coarsely
  if (a.hi() < kTiny) {
    return square_root(Interval(a.lo() * kScale, a.hi() * kScale)) * Interval(0x1p-300);
  }
  if (a.lo() < kTiny) {
    return hull(Interval(0), square_root(Interval(a.hi())));
  }
  // A posteriori: libm is not believed. The squares are rounded outward, so a step or two may be needed.
  const auto is_below = [&](double x) { return (Interval(x) * Interval(x)).hi() <= a.lo(); };
  const auto is_above = [&](double x) { return (Interval(x) * Interval(x)).lo() >= a.hi(); };
  double lo = std::sqrt(a.lo()), hi = std::sqrt(a.hi());
  for (int step = 0; step < 4; ++step) {
    lo = is_below(lo) ? lo : next_down(lo);
    hi = is_above(hi) ? hi : next_up(hi);
  }
  if (!is_below(lo) || !is_above(hi)) {
    throw Reject("arithmetic", "square root not enclosed");
  }
  return {lo, hi};
}

Interval quotient(std::int64_t num, std::int64_t den) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (!(den > 0 && den <= kExact && num >= -kExact && num <= kExact)) {
    throw Reject("arithmetic", "fraction out of range");
  }
  if (num % den == 0 || (den & (den - 1)) == 0) {  // whole, or over a power of two: a double
    return {static_cast<double>(num) / static_cast<double>(den)};
  }
  return Interval(static_cast<double>(num)) / Interval(static_cast<double>(den));
}

Interval dot(std::span<const Interval> a, std::span<const Interval> b) {
  if (a.size() != b.size()) {
    throw Reject("arithmetic", "dot: lengths differ");
  }
  Interval sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum = sum + a[i] * b[i];
  }
  return sum;
}

Interval dot(std::span<const Interval> a, const float* b, std::size_t stride) {
  Interval sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum = sum + a[i] * Interval(static_cast<double>(b[i * stride]));
  }
  return sum;
}

}  // namespace assay_check
