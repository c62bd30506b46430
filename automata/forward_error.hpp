#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

// What the proofs of FAST-FORWARD and FAST-FOLD say about double arithmetic (docs/theorems.md).
namespace assay::automata::forward_error {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kUnit = 0x1p-53;
inline constexpr double kSmallestWeight =
    0x1p-450;  // so that a product of two stays a normal number

/// >= the exact value of a sum of numbers >= 0, fewer than 2^30 of them, that plain double found
/// to be x: each rounding loses at most 2^-53 of it, underflow less than the added constant.
inline double enlarge(double x) {
  return x * (1 + 0x1p-20) + 0x1p-950;
}

/// γ_n <= n 2^-52: |fl(Σ a_i b_i) − Σ a_i b_i| <= γ_n Σ |a_i b_i| in any order (Higham, 3.5).
inline double sum_error(std::size_t n) {
  return static_cast<double>(n + 4) * 2 * kUnit;
}

inline Interval real(float x) {
  return Interval(static_cast<double>(x));
}

inline Interval entry(const Tensor& t, std::size_t i) {
  return t.data.empty() ? Interval(0.0) : real(t.data[i]);
}

inline double magnitude(Interval x) {
  return std::max(std::fabs(x.lo), std::fabs(x.hi));
}

inline double middle(Interval x) {
  return x.lo + (x.hi - x.lo) / 2;
}

/// >= the distance of `mid` from any real of the interval.
inline double reach(Interval x, double mid) {
  return std::max(round_up(x.hi - mid), round_up(mid - x.lo));
}

/// The radius enlarged so that fl(x − r) and fl(x + r) need no outward step, for |x| <= size and r up to
/// twice as large; infinite when it is not a number.
inline double with_rounding(double radius, double size) {
  const double r = enlarge(radius + 4 * kUnit * (size + 2 * radius));
  return std::isfinite(r) ? r : kInfinity;
}

/// [V, dh]: x_t W + b for one head, W [d, dh] at `offset`.
inline std::vector<Interval> projected(const Transformer& model, const Tensor& weights,
                                       const Tensor& bias, std::size_t head) {
  const auto& c = model.config;
  const std::size_t d = c.d_model, e = c.d_head;
  std::vector<Interval> out(c.d_vocab * e);
  for (std::size_t t = 0; t < c.d_vocab; ++t) {
    Interval* row = out.data() + t * e;
    for (std::size_t i = 0; i < e; ++i) {
      row[i] = entry(bias, head * e + i);
    }
    for (std::size_t k = 0; k < d; ++k) {
      const Interval x = real(model.W_E.at(t, k));
      for (std::size_t i = 0; i < e; ++i) {
        row[i] += x * real(weights.data[(head * d + k) * e + i]);
      }
    }
  }
  return out;
}

/// attn_scale as the claim means it (bounds/attention_scale.hpp): the decimal or its nearest double.
inline Interval attention_scale(const TransformerConfig& config) {
  const double nearest = config.attn_scale;
  return nearest > 0 ? Interval(round_down(nearest), round_up(nearest))
                     : sqrt(Interval(static_cast<double>(config.d_head)));
}

}  // namespace assay::automata::forward_error
