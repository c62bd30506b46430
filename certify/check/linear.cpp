#include "linear.hpp"

#include <algorithm>
#include <cmath>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr double kLargest = 0x1p300;  // no product of two entries and a weight overflows

void need_moderate(double mid, double rad) {
  if (!(std::fabs(mid) <= kLargest && rad >= 0 && rad <= kLargest)) {
    throw Reject("arithmetic", "a number above 2^300");
  }
}

template <typename Entry>
std::vector<Interval> mapped(std::size_t n, const Entry& entry) {
  std::vector<Interval> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back(entry(i));
  }
  return out;
}

}  // namespace

Ball::Ball(std::span<const Interval> x) {
  for (const Interval& v : x) {
    mid.push_back(v.lo() == v.hi() ? v.lo() : v.lo() / 2 + v.hi() / 2);
    rad.push_back(std::max({sum_up(v.hi(), -mid.back()), sum_up(mid.back(), -v.lo()), 0.0}));
    need_moderate(mid.back(), rad.back());
  }
}

Interval Ball::operator[](std::size_t i) const {
  return {-sum_up(-mid[i], rad[i]), sum_up(mid[i], rad[i])};
}

Ball times(const Ball& x, const float* W, std::size_t columns, const float* b) {
  const std::size_t n = x.size();
  const double factor = sum_error_factor(n + 1);
  Ball y;
  y.mid.assign(columns, 0);
  y.rad.assign(columns, 0);
  for (std::size_t c = 0; b != nullptr && c < columns; ++c) {
    y.mid[c] = static_cast<double>(b[c]);
    y.rad[c] = std::fabs(y.mid[c]) * factor;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double v = x.mid[i], error = std::fabs(v) * factor + x.rad[i];
    const float* row = W + i * columns;
    for (std::size_t c = 0; c < columns; ++c) {
      const double w = static_cast<double>(row[c]);
      y.mid[c] += v * w;
      y.rad[c] += error * std::fabs(w);
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    y.rad[c] = enlarge(y.rad[c]);
    need_moderate(y.mid[c], y.rad[c]);
  }
  return y;
}

Ball times(const float* W, std::size_t rows, const Ball& g) {
  const std::size_t n = g.size();
  const double factor = sum_error_factor(n);
  Ball y;
  for (std::size_t r = 0; r < rows; ++r) {
    const float* row = W + r * n;
    double sum = 0, error = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double w = static_cast<double>(row[i]);
      sum += w * g.mid[i];
      error += std::fabs(w) * (std::fabs(g.mid[i]) * factor + g.rad[i]);
    }
    y.mid.push_back(sum);
    y.rad.push_back(enlarge(error));
    need_moderate(sum, y.rad.back());
  }
  return y;
}

std::vector<Interval> intervals(const Ball& x) {
  return mapped(x.size(), [&](std::size_t i) { return x[i]; });
}

std::vector<Interval> centred(std::span<const Interval> y) {
  Interval sum;
  for (const Interval& v : y) {
    sum = sum + v;
  }
  const Interval mean = sum / Interval(static_cast<double>(y.size()));
  return mapped(y.size(), [&](std::size_t i) { return y[i] - mean; });
}

Interval square(const Interval& a) {
  const Interval p = a * a;
  const double least = std::min(std::fabs(a.lo()), std::fabs(a.hi()));
  const bool crosses = a.lo() <= 0 && a.hi() >= 0;
  return {crosses ? 0 : std::max((Interval(least) * Interval(least)).lo(), 0.0), p.hi()};
}

Interval square_sum(std::span<const Interval> y) {
  Interval sum;
  for (const Interval& v : y) {
    sum = sum + square(v);
  }
  return sum;
}

std::vector<Interval> operator+(std::span<const Interval> a, std::span<const Interval> b) {
  return mapped(a.size(), [&](std::size_t i) { return a[i] + b[i]; });
}

std::vector<Interval> operator-(std::span<const Interval> a) {
  return mapped(a.size(), [&](std::size_t i) { return -a[i]; });
}

std::vector<Interval> operator*(const Interval& s, std::span<const Interval> a) {
  return mapped(a.size(), [&](std::size_t i) { return s * a[i]; });
}

std::vector<Interval> operator*(std::span<const Interval> a, const std::vector<float>& w) {
  return mapped(a.size(), [&](std::size_t i) { return a[i] * Interval(w.at(i)); });
}

std::vector<Interval> exact(const float* w, std::size_t n, std::size_t stride) {
  return mapped(n, [&](std::size_t i) { return Interval(static_cast<double>(w[i * stride])); });
}

}  // namespace assay_check
