#include <algorithm>
#include <cmath>

#include "float32.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr double kLargest = 0x1p120;  // a factor 2^7 below the largest float32

}  // namespace

double above(double x) {
  if (!(x >= 0 && x <= kLargest)) {
    throw Reject("FLOAT32", "a number above 2^120: no bound that float32 does not overflow");
  }
  return enlarge(x);
}

double rounding(std::size_t n, double size) {
  if (n > std::size_t{1} << 20) {
    throw Reject("FLOAT32", "a sum of more than 2^20 terms");
  }
  const double nu = static_cast<double>(n) * kUnit;
  return above(nu / (1 - nu) * size + static_cast<double>(n) * 0x1p-148);
}

double magnitude(const Interval& x) {
  return above(std::max(std::fabs(x.lo()), std::fabs(x.hi())));
}

Sizes weighted(const Sizes& x, const float* W, std::size_t columns) {
  Sizes y(columns, 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t c = 0; c < columns; ++c) {
      y[c] += x[i] * std::fabs(static_cast<double>(W[i * columns + c]));
    }
  }
  for (double& v : y) {
    v = above(v);
  }
  return y;
}

// With Δ the error of the computed y − mean, D = sqrt(|P y|²/d + eps), D^ that of the computed vector:
//   |y^/D^ − P y/D| <= (|Δ_i| + |P y|_i/D |Δ|/√d) / D^      D^ >= max(D − |Δ|/√d, √eps)
// since D is 1/√d-Lipschitz in P y; and never more than √d + |P y|_i/D. The rest is d + 12 roundings, then w and b.
Computed float_norm(const Network& net, const Computed& y, const Sizes& centred, double deviation,
                    const std::vector<float>& w, const std::vector<float>& b) {
  const std::size_t n = y.size.size();
  const double d = static_cast<double>(n), root = square_root(Interval(d)).hi();
  double sum = 0, mean_error = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += y.size[i] + y.error[i];
    mean_error += y.error[i];
  }
  mean_error = above(mean_error / d + rounding(n + 2, above(sum) / d));
  Sizes off;
  double squares = 0, whole = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double e = above(y.error[i] + mean_error);
    off.push_back(above(e + kUnit * (centred[i] + e)));
    squares += off[i] * off[i];
    whole += (centred[i] + off[i]) * (centred[i] + off[i]);
  }
  static_cast<void>(above(whole));
  const double slip = above(std::sqrt(above(squares) / d));
  const double least =
      std::max(deviation - enlarge(deviation * 0x1p-50 + slip), square_root(net.eps).lo());
  Computed out;
  for (std::size_t i = 0; i < n; ++i) {
    const double size = std::min(root, above(centred[i] / deviation));
    const double shift = std::min(above((off[i] + size * slip) / least), above(root + size));
    const double scale = std::fabs(static_cast<double>(w[i]));
    const double offset = std::fabs(static_cast<double>(b[i]));
    const double error = above(shift + rounding(n + 12, size + shift));
    out.size.push_back(above(scale * size + offset));
    out.error.push_back(above(scale * error + rounding(3, scale * (size + error) + offset)));
  }
  return out;
}

Normed norm_of(const Network& net, const Computed& y, const Sizes& centred, double deviation,
               const std::vector<float>& w, const std::vector<float>& b) {
  const double d = static_cast<double>(y.size.size());
  double squares = 0, mean = 0;
  for (const double e : y.error) {
    squares += e * e;
    mean += e;
  }
  mean = above(mean / d);
  Normed out;
  out.slip = above(std::sqrt(above(squares) / d));
  const double least =
      std::max(deviation - enlarge(deviation * 0x1p-50 + out.slip), square_root(net.eps).lo());
  out.scale = above(1 / least);
  Computed exact;
  Sizes size;
  for (std::size_t i = 0; i < y.size.size(); ++i) {
    exact.size.push_back(above(y.size[i] + y.error[i]));
    exact.error.push_back(0);
    size.push_back(above(centred[i] + y.error[i] + mean));
  }
  out.local = float_norm(net, exact, size, least, w, b);
  return out;
}

std::vector<Interval> folded(std::vector<Interval> x, const std::vector<float>& w) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = x[i] * Interval(w[i]);
  }
  return centred(x);
}

std::vector<Interval> read_by_neurons(const Network& net, std::vector<Interval> x) {
  if (net.normalised) {
    x = centred(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = x[i] * Interval(net.ln2_w[i]);
    }
  }
  return x;
}

}  // namespace assay_check
