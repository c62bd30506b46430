#include "halves.hpp"

#include <algorithm>
#include <cmath>

#include "reject.hpp"
#include "units.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxQuadratic = 256;

}  // namespace

Halves::Halves(Session& session, const Step& step, const ErasureClaim& claim)
    : rows(session, step, claim) {
  const bool kernel = claim.form == "mmd" || claim.form == "mmd-leakage";
  const std::string of = kernel ? "linear" : claim.at("of");
  quadratic = of == "quadratic";
  label_ = parse_nat_below(claim.at("label"), rows.k, "a label");
  if ((of != "linear" && !quadratic) || (quadratic && rows.d > kMaxQuadratic)) {
    refuse(step, "expected of linear, or quadratic up to 256 coordinates");
  }
  features = quadratic ? rows.d * rows.d : rows.d;
  order_ = units_of(rows, step, claim);
  units = order_.size();
  for (const auto& unit : order_) {
    longest_ = std::max(longest_, unit.size());
  }
  first_ = std::max<std::size_t>(units / 8, 1);
  const std::size_t pairs = (units - first_) / 2;
  a = pairs / 2;
  b = pairs - a;
  if (a < 2) {
    refuse(step, "too few documents or rows");
  }
  fix_scales(step);
  for (const auto& unit : order_) {
    std::vector<double> Y(rows.d);
    for (const std::size_t row : unit) {
      rows.deploy(row, Y.data());
      beyond_ += square(Y) > limit_ ? 1 : 0;
    }
  }
  const Interval size(std::ldexp(static_cast<double>(limit_), -2 * top_));  // one rounding
  bound = square_root(size * Interval(1 - 0x1p-52, 1 + 0x1p-52));
  bound = quadratic ? bound * bound : bound;
}

/// From the rows of C: the mean, cut to a whole number of grid units; the least power of two that is not below the
/// root mean square about it; and twice the largest squared norm.
void Halves::fix_scales(const Step& step) {
  std::vector<double> Y(rows.d);
  std::vector<std::int64_t> total(rows.d);
  std::int64_t n = 0;
  const auto each = [&](const auto& act) {
    for (std::size_t u = 0; u < first_; ++u) {
      for (const std::size_t row : order_[u]) {
        rows.deploy(row, Y.data());
        act();
      }
    }
  };
  each([&] {
    ++n;
    for (std::size_t j = 0; j < rows.d; ++j) {
      total[j] += static_cast<std::int64_t>(Y[j]);
    }
  });
  for (const std::int64_t t : total) {
    centre_.push_back(t / n);
  }
  std::vector<Wide> squares(rows.d);
  each([&] {
    for (std::size_t j = 0; j < rows.d; ++j) {
      const Wide off = static_cast<std::int64_t>(Y[j]) - centre_[j];
      squares[j] += off * off;
    }
  });
  for (const Wide s : squares) {
    int e = 0;
    while (s > static_cast<Wide>(n) << (2 * e)) {
      ++e;
    }
    scale_.push_back(e);
    top_ = std::max(top_, e);
  }
  each([&] { limit_ = std::max(limit_, 2 * square(Y)); });
  if (limit_ == 0) {
    refuse(step, "the first eighth of the documents has one output only");
  }
}

Wide Halves::square(const std::vector<double>& Y) const {
  Wide sum = 0;  // 2^12 terms below 2^50 2^50
  for (std::size_t j = 0; j < rows.d; ++j) {
    const Wide off = static_cast<std::int64_t>(Y[j]) - centre_[j];
    sum += off * off << (2 * (top_ - scale_[j]));
  }
  return sum;
}

Interval Halves::exponent(std::size_t row, std::size_t other) const {
  std::vector<double> Y(rows.d), Z(rows.d);
  rows.deploy(row, Y.data());
  rows.deploy(other, Z.data());
  const bool y = square(Y) <= limit_, z = square(Z) <= limit_;
  Wide sum = 0;  // 2^12 terms below 2^52 2^50
  for (std::size_t j = 0; j < rows.d; ++j) {
    const Wide off = (y ? static_cast<std::int64_t>(Y[j]) : centre_[j]) -
                     (z ? static_cast<std::int64_t>(Z[j]) : centre_[j]);
    sum += off * off << (2 * (top_ - scale_[j]));
  }
  const double near = std::ldexp(static_cast<double>(sum), -2 * top_);  // one rounding
  const Interval mean = Interval(-near * (1 + 0x1p-52), -near * (1 - 0x1p-52)) /
                        Interval(static_cast<double>(rows.d));
  return {mean.lo(), std::min(mean.hi(), 0.0)};
}

std::vector<std::size_t> Halves::drawn_after_the_scales() const {
  std::vector<std::size_t> drawn = drawn_rows(order_);
  drawn.erase(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(first_));
  return drawn;
}

Halves::Sums Halves::sums(std::size_t unit) const {
  Sums out{std::vector<double>(features), std::vector<double>(features), 0, 0};
  std::vector<double> Y(rows.d), y(rows.d);
  for (const std::size_t row : order_[unit]) {
    const double z = rows.label(row, label_);
    out.n += 1;
    out.ones += z;
    rows.deploy(row, Y.data());
    if (square(Y) > limit_) {
      continue;  // taken as the centre
    }
    for (std::size_t j = 0; j < rows.d; ++j) {
      y[j] = std::ldexp(Y[j] - static_cast<double>(centre_[j]), -scale_[j]);  // exact
    }
    for (std::size_t i = 0; i < (quadratic ? rows.d : 1); ++i) {
      for (std::size_t j = 0; j < rows.d; ++j) {
        const double phi = quadratic ? y[i] * y[j] : y[j];
        out.all[i * rows.d + j] += phi;
        out.with[i * rows.d + j] += z * phi;
      }
    }
  }
  return out;
}

void Halves::pair(std::size_t index, std::vector<double>& v) const {
  const Sums s = sums(first_ + 2 * index), t = sums(first_ + 2 * index + 1);
  v.resize(features);
  for (std::size_t j = 0; j < features; ++j) {
    v[j] = 0.5 * (s.with[j] / s.n + t.with[j] / t.n - s.all[j] / s.n * (t.ones / t.n) -
                  t.all[j] / t.n * (s.ones / s.n));
  }
}

std::vector<double> Halves::mean() const {
  std::vector<double> sum(features), v;
  for (std::size_t i = 0; i < a; ++i) {
    pair(i, v);
    for (std::size_t j = 0; j < features; ++j) {
      sum[j] += v[j];
    }
  }
  for (double& s : sum) {
    s /= static_cast<double>(a);
  }
  return sum;
}

std::vector<double> Halves::project(const std::vector<double>& direction) const {
  std::vector<double> out, v;
  for (std::size_t i = a; i < a + b; ++i) {
    pair(i, v);
    double x = 0;
    for (std::size_t j = 0; j < features; ++j) {
      x += direction[j] * v[j];
    }
    out.push_back(x);
  }
  return out;
}

Interval Halves::slack() const {
  return {std::ldexp(static_cast<double>(features + a + b + longest_ + 64), -48)};
}

std::string Halves::drawn() const {
  return "over the draw of the " + drawn_units(units, rows.has("document")) +
         (rows.has("document") ? ", for a row drawn from one of them" : "") +
         ", about a centre, in units of each coordinate's scale and with rows beyond a norm taken "
         "as "
         "the centre (" +
         std::to_string(beyond_) + " of " + std::to_string(rows.n) + "), all three fixed by " +
         std::to_string(first_) + " of them, " + rows.named();
}

}  // namespace assay_check
