#include <algorithm>
#include <cmath>
#include <functional>

#include "erased.hpp"
#include "linear.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

using Vector = std::vector<Interval>;

Interval magnitude(const Interval& a) {
  return {std::max({a.lo(), -a.hi(), 0.0}), std::max(std::fabs(a.lo()), std::fabs(a.hi()))};
}

Interval root(const Interval& square) {
  return square.hi() > 0 ? Interval(0, square_root(Interval(square.hi())).hi()) : Interval(0);
}

Interval norm(const Vector& v) {
  return root(dot(v, v));
}

/// A set of inputs: a centre, and two figures of what stands about it.
struct Region {
  std::string name;
  std::vector<double> centre;
  std::function<Interval(const Vector&)> reach;     ///< sup of <u, x − centre>
  std::function<Interval(std::size_t)> coordinate;  ///< sup of |x_j − centre_j|
};

/// box: center, radius [d]; ellipsoid: center [d], axes [d,m], x = center + axes s, |s| <= 1; layernorm: gamma, beta [d],
/// x = gamma s + beta, Σ s = 0, |s|² <= d; rmsnorm: gamma [d], the same with beta 0 and any sum.
Region read_region(const Safetensors& file, const Step& step, std::size_t d) {
  const std::vector<std::string> names = file.names();  // sorted
  const Interval width = square_root(Interval(static_cast<double>(d)));
  using Names = std::vector<std::string>;
  if (names == Names{"center", "radius"}) {
    const auto r = file.f64("radius", {d});
    if (std::any_of(r.begin(), r.end(), [](double x) { return x < 0; })) {
      refuse(step, "a radius is below 0");
    }
    return {"box", file.f64("center", {d}),
            [r](const Vector& u) {
              Interval sum;
              for (std::size_t j = 0; j < r.size(); ++j) {
                sum = sum + magnitude(u[j]) * Interval(r[j]);
              }
              return sum;
            },
            [r](std::size_t j) { return Interval(r[j]); }};
  }
  if (names == Names{"axes", "center"}) {
    const Safetensors::Shape shape = file.tensor("axes").shape;
    const std::size_t m = shape.size() == 2 ? shape[1] : 0;
    const auto A = file.f64("axes", {d, m});
    return {"ellipsoid", file.f64("center", {d}),
            [A, m](const Vector& u) {
              Vector along(m);
              for (std::size_t j = 0; j < u.size(); ++j) {
                for (std::size_t q = 0; q < m; ++q) {
                  along[q] = along[q] + u[j] * Interval(A[j * m + q]);
                }
              }
              return norm(along);
            },
            [A, m](std::size_t j) {
              const auto row = A.begin() + static_cast<std::ptrdiff_t>(j * m);
              return norm(Vector(row, row + static_cast<std::ptrdiff_t>(m)));
            }};
  }
  const bool layer = names == Names{"beta", "gamma"};
  if (!layer && names != Names{"gamma"}) {
    refuse(step, "expected center and radius, center and axes, gamma and beta, or gamma");
  }
  const auto g = file.f64("gamma", {d});
  return {layer ? "LayerNorm image" : "RMSNorm image",
          layer ? file.f64("beta", {d}) : std::vector<double>(d),
          [g, width, layer](const Vector& u) {
            Vector scaled;
            Interval mean;
            for (std::size_t j = 0; j < u.size(); ++j) {
              scaled.push_back(u[j] * Interval(g[j]));
              mean = mean + scaled[j] / Interval(static_cast<double>(u.size()));
            }
            for (Interval& s : scaled) {
              s = layer ? s - mean : s;
            }
            return width * norm(scaled);
          },
          [g, width](std::size_t j) { return width * Interval(std::fabs(g[j])); }};
}

}  // namespace

// WORST   (u = w − RᵀLᵀw, c = b + (Lᵀw)·(Rμ), X_j >= |x_j| in the region, γ = 2^-51 (d + r + 8))
//   |<u, centre> + c| + reach(u) + Σ_j |w_j| (2^-gridBits/2 + γ (X_j + Σ_k |L_jk| Σ_i |R_ki|(X_i + |μ_i|))) <= a
//   -----------------------------------------------------------------------------------------------------------
//   |<w, y> + b| <= a for the deployed output y of every x of the region, x in double, where y has one: is below 2^24 grid units
void rule_worst(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "worst");
  const Fraction most = positive_term(step, claim, "at-most");
  const Eraser e = read_eraser(session, step);
  const std::size_t d = e.d, r = e.r;
  std::string name;
  std::string bytes = session.data(claim.at("readout"), name);
  const Safetensors readout(std::move(bytes), name);
  const Safetensors::Shape shape = readout.tensor("bias").shape;
  const std::size_t m = shape.size() == 1 ? shape[0] : 0;
  const std::size_t index = parse_nat_below(claim.at("index"), m, "a readout");
  const auto weights = readout.f64("weights", {m, d}), bias = readout.f64("bias", {m});
  bytes = session.data(claim.at("region"), name);
  const Region region = read_region(Safetensors(std::move(bytes), name), step, d);
  if (!step.premises.empty() || step.words.size() != 1 || parse_nat(step.words[0]) != d) {
    refuse(step, "expected WORST : width");
  }
  const double* const w = weights.data() + index * d;
  Vector u, X;
  Interval constant(bias[index]);
  for (std::size_t j = 0; j < d; ++j) {
    u.emplace_back(w[j]);
    X.push_back(Interval(std::fabs(region.centre[j])) + region.coordinate(j));
  }
  Vector absolute(r, Interval(kTiny));  // Σ_i |R_ki| (X_i + |μ_i|), and what underflows
  for (std::size_t k = 0; k < r; ++k) {
    Interval into, at;  // (Lᵀw)_k and (Rμ)_k
    for (std::size_t j = 0; j < d; ++j) {
      const Interval R(e.right[k * d + j]), mu(e.bias[j]);
      into = into + Interval(e.left[j * r + k]) * Interval(w[j]);
      at = at + R * mu;
      absolute[k] = absolute[k] + magnitude(R) * (X[j] + magnitude(mu));
    }
    constant = constant + into * at;
    for (std::size_t j = 0; j < d; ++j) {
      u[j] = u[j] - Interval(e.right[k * d + j]) * into;
    }
  }
  const Interval grid(std::ldexp(0.5, -e.grid_bits));
  const Interval gamma(std::ldexp(static_cast<double>(d + r + 8), -51));
  Interval rounding;
  for (std::size_t j = 0; j < d; ++j) {
    Interval size = X[j];
    for (std::size_t k = 0; k < r; ++k) {
      size = size + magnitude(Interval(e.left[j * r + k])) * absolute[k];
    }
    rounding = rounding + magnitude(Interval(w[j])) * (grid + gamma * size + Interval(kTiny));
    constant = constant + u[j] * Interval(region.centre[j]);
  }
  const Interval all = magnitude(constant) + region.reach(u) + rounding;
  if (!(all.hi() <= most.interval().lo())) {
    refuse(step, "the bound is not shown");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "readout " + claim.at("index") + " of " + claim.at("readout") + " is at most " +
           most.text() +
           " in size on every deployed output (below 2^24 grid units) of an input of the region " +
           claim.at("region") + " (" + region.name + "), hook " + printable(e.hook) + ", eraser " +
           session.header().eraser->second.substr(0, 16)});
}

}  // namespace assay_check
