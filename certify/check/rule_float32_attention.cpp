#include <algorithm>
#include <cmath>
#include <set>

#include "elementary.hpp"
#include "float32.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr double kMostWork = 0x1p34;
constexpr double kMostUnshifted = 32;  // |score|, for a softmax without a shift

void raise(Sizes& x, const Sizes& by) {
  x.resize(by.size(), 0);
  for (std::size_t i = 0; i < by.size(); ++i) {
    x[i] = std::max(x[i], by[i]);
  }
}

Sizes magnitudes(std::span<const Interval> x) {
  Sizes out;
  for (const Interval& v : x) {
    out.push_back(magnitude(v));
  }
  return out;
}

void widen(std::vector<Interval>& hull_, const std::vector<Interval>& x) {
  if (hull_.empty()) {
    hull_ = x;
    return;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    hull_[i] = hull(hull_[i], x[i]);
  }
}

/// x̂ W + b for one head.
Computed project(const Computed& x, const Ball& exact, const float* W, const float* b,
                 std::size_t columns) {
  Computed y;
  const Ball value = times(exact, W, columns, b);
  Sizes whole;
  for (std::size_t i = 0; i < x.size.size(); ++i) {
    whole.push_back(above(x.size[i] + x.error[i]));
  }
  const Sizes carried = weighted(x.error, W, columns), sums = weighted(whole, W, columns);
  for (std::size_t c = 0; c < columns; ++c) {
    y.size.push_back(magnitude(value[c]));
    y.error.push_back(above(
        carried[c] + rounding(x.size.size() + 2, sums[c] + std::fabs(static_cast<double>(b[c])))));
  }
  return y;
}

/// After R_p: table entries within `table` of cos and sin.
void rotate(Computed& y, std::size_t half, double table) {
  for (std::size_t i = 0; i < half; ++i) {
    const double size = above(y.size[i] + y.size[i + half]);
    const double error = above(y.error[i] + y.error[i + half]);
    y.size[i] = y.size[i + half] = size;
    y.error[i] = y.error[i + half] = above(error + (table + 6 * kUnit) * (size + error) + 0x1p-147);
  }
}

}  // namespace

struct FloatAttention::Pass {
  std::size_t most = 0, half = 0;
  double table = 0;
  Computed query, value;
  Sizes bias, score_error, score;  ///< [H]
  /// x and x̂ of a row, and what float32 makes of them.
  struct Point {
    std::vector<Interval> x;
    Computed computed, normed;
    Ball exact;
  };
  [[nodiscard]] Point point(const Attention& attention, const Row& row) const;
};

FloatAttention::Pass::Point FloatAttention::Pass::point(const Attention& attention,
                                                        const Row& row) const {
  const Network& net = attention.net();
  Point p;
  p.x = attention.input(row.token, row.position);
  p.computed.size = magnitudes(p.x);
  for (const double x : p.computed.size) {
    p.computed.error.push_back(net.standard() ? above(kUnit * x) : 0);
  }
  p.normed = p.computed;
  std::vector<Interval> x = p.x;
  if (net.normalised) {
    const std::vector<Interval> y = assay_check::centred(p.x);
    const Interval D =
        square_root(square_sum(y) / Interval(static_cast<double>(net.d_model)) + net.eps);
    p.normed = float_norm(net, p.computed, magnitudes(y), D.lo(), net.ln1_w, net.ln1_b);
    x = attention.normalise(p.x, net.ln1_w, net.ln1_b);
    p.normed.size = magnitudes(x);
  }
  p.exact = Ball(x);
  return p;
}

void FloatAttention::collect(const ContextCase& contexts, std::vector<Row>& keys,
                             std::vector<Row>& queries_) const {
  std::set<Row> seen, asked;
  for (std::size_t n = net_.standard() ? contexts.a : contexts.b; n <= contexts.b; ++n) {
    for (std::size_t j = 0; j < std::min(n, net_.span()); ++j) {
      if (!net_.standard() && j > contexts.last.size()) {
        break;  // one more set would be `rest` again
      }
      for (const std::uint32_t t : *contexts.set(j)) {
        const Row row{net_.standard() ? n - 1 - j : 0, t};
        seen.insert(row);
        if (j == 0) {
          asked.insert(row);
        }
      }
    }
  }
  keys.assign(seen.begin(), seen.end());
  queries_.assign(asked.begin(), asked.end());
  const double K = static_cast<double>(keys.size()), Q = static_cast<double>(queries_.size());
  const auto size = [](std::size_t n) { return static_cast<double>(n); };
  const double head = size(net_.d_head + net_.d_mlp) * size(net_.d_model);
  if (K * size(net_.n_heads) * head > kMostWork ||
      Q * K * size(net_.n_heads * net_.d_head) > kMostWork) {
    throw Reject("FLOAT32", "a domain of too many tokens, positions and heads");
  }
}

FloatAttention::FloatAttention(Attention& attention, const ContextCase& contexts,
                               std::size_t longest, Ulps ulps)
    : attention_(attention), net_(attention.net()) {
  Pass pass;
  pass.most = std::min(contexts.b, net_.span());
  pass.half = net_.rotary_dim / 2;
  if (pass.half != 0 && longest == 0) {
    throw Reject("FLOAT32", "rotary positions need a longest context");
  }
  pass.table = static_cast<double>(longest) * 0x1p-20;
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    double top = 0;
    for (std::size_t j = 0; !net_.rel_bias.empty() && j < pass.most; ++j) {
      top = std::max(top, std::fabs(static_cast<double>(net_.rel_bias[h * net_.span() + j])));
    }
    pass.bias.push_back(above(top));
  }
  pass.score_error.assign(net_.n_heads, 0);
  pass.score.assign(net_.n_heads, 0);
  mid.resize(net_.n_heads);
  centred.resize(net_.n_heads);
  neuron.resize(net_.n_heads);
  std::vector<Row> keys, asked;
  collect(contexts, keys, asked);
  for (const Row& row : asked) {
    add_query(row, pass);
  }
  for (const Row& row : keys) {
    add_key(row, pass);
  }
  weigh(pass, ulps);
}

void FloatAttention::add_query(const Row& row, Pass& pass) {
  const std::size_t d = net_.d_model, e = net_.d_head;
  const Pass::Point p = pass.point(attention_, row);
  raise(input.size, p.computed.size);
  raise(input.error, p.computed.error);
  queries.push_back(p.x);
  for (std::size_t i = 0; i < d; ++i) {
    queries.back()[i] = queries.back()[i] + Interval(net_.b_O[i]);
  }
  Computed all;
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    Computed q = project(p.normed, p.exact, &net_.W_Q[h * d * e], &net_.b_Q[h * e], e);
    rotate(q, pass.half, pass.table);
    all.size.insert(all.size.end(), q.size.begin(), q.size.end());
    all.error.insert(all.error.end(), q.error.begin(), q.error.end());
  }
  raise(pass.query.size, all.size);
  raise(pass.query.error, all.error);
}

void FloatAttention::add_key(const Row& row, Pass& pass) {
  const std::size_t d = net_.d_model, e = net_.d_head, H = net_.n_heads;
  const Pass::Point p = pass.point(attention_, row);
  const double inverse = (Interval(1) / net_.scale).hi();
  Computed values;
  Ball exact;
  for (std::size_t h = 0; h < H; ++h) {
    Computed k = project(p.normed, p.exact, &net_.W_K[h * d * e], &net_.b_K[h * e], e);
    rotate(k, pass.half, pass.table);
    double dot = 0, whole = 0, carried = 0, sum = 0;
    for (std::size_t i = 0; i < e; ++i) {
      const double q = pass.query.size[h * e + i], eq = pass.query.error[h * e + i];
      dot += q * k.size[i];
      whole += (q + eq) * (k.size[i] + k.error[i]);
      carried += q * k.error[i] + k.size[i] * eq + eq * k.error[i];
      sum += q + eq + k.size[i] + k.error[i];
    }
    const double tiny =
        above((1 + above(sum)) * (1 + inverse)) * static_cast<double>(e + 2) * 0x1p-148;
    const double error = above(above(carried) * inverse + tiny +
                               rounding(e + 14, above(whole) * inverse + pass.bias[h]));
    pass.score_error[h] = std::max(pass.score_error[h], error);
    pass.score[h] = std::max(pass.score[h], above(above(dot) * inverse + pass.bias[h] + error));
    const Computed v = project(p.normed, p.exact, &net_.W_V[h * d * e], &net_.b_V[h * e], e);
    values.size.insert(values.size.end(), v.size.begin(), v.size.end());
    values.error.insert(values.error.end(), v.error.begin(), v.error.end());
    const Ball v_exact = times(p.exact, &net_.W_V[h * d * e], e, &net_.b_V[h * e]);
    exact.mid.insert(exact.mid.end(), v_exact.mid.begin(), v_exact.mid.end());
    exact.rad.insert(exact.rad.end(), v_exact.rad.begin(), v_exact.rad.end());
    add_contributions(h, v_exact);
  }
  raise(pass.value.size, values.size);
  raise(pass.value.error, values.error);
  values_.push_back(std::move(exact));
}

void FloatAttention::add_contributions(std::size_t head, const Ball& v) {
  const Ball to_mid = times(v, &net_.W_O[head * net_.d_head * net_.d_model], net_.d_model);
  const std::vector<Interval> parts = intervals(to_mid);
  widen(mid[head], parts);
  if (net_.normalised) {
    widen(centred[head], assay_check::centred(parts));
  }
  if (!net_.attn_only()) {
    widen(neuron[head],
          intervals(times(Ball(read_by_neurons(net_, parts)), net_.W_in.data(), net_.d_mlp)));
  }
}

// Computed weights are e^{s_j} (1 + a_j) up to a common factor, |a_j| <= α:
//   α = exp(error of a score + 12 u S + 2 A u N (1 + 2^-10)) − 1
// and the mean they give is off by at most α/(1 − α) half the spread, since Σ p |v − mean| <= spread/2.
void FloatAttention::weigh(const Pass& pass, Ulps ulps) {
  const std::size_t H = net_.n_heads, e = net_.d_head;
  const double N = static_cast<double>(pass.most);
  double largest = 0, top = 0;
  for (std::size_t h = 0; h < H; ++h) {
    const double x = above(pass.score_error[h] + 12 * kUnit * pass.score[h] +
                           2 * static_cast<double>(ulps.exponential) * kUnit * N * (1 + 0x1p-10));
    if (!(x <= 0.5)) {
      throw Reject("FLOAT32", "head " + std::to_string(h) + ": float32 does not know the scores");
    }
    const double alpha = next_up(exponential(Interval(x)).hi() - 1);
    tilt.push_back(above(alpha / (1 - alpha)));
    largest = std::max(largest, pass.score[h]);
  }
  mean.size = pass.value.size;
  for (std::size_t i = 0; i < H * e; ++i) {
    const double v = pass.value.size[i], error = pass.value.error[i];
    const double tiny = N * 0x1p-56 + N * 0x1p-120 * (v + error + 1);
    mean.error.push_back(above(error + rounding(4 * pass.most + 4, v + error) + tiny));
    top = std::max(top, above(v + error + 1));
    Ball unit;
    unit.mid.assign(e, 0);
    unit.rad.assign(e, 0);
    unit.mid[i % e] = 1;
    values_spread.push_back(spread(i / e, unit));
  }
  any_shift = largest <= kMostUnshifted && N * top <= 0x1p27;
}

double FloatAttention::spread(std::size_t head, const Ball& g, double* least) const {
  const std::size_t e = net_.d_head;
  double lo = HUGE_VAL, hi = -HUGE_VAL, rad = 0;
  for (const Ball& v : values_) {
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < e; ++i) {
      const double x = v.mid[head * e + i], error = v.rad[head * e + i];
      sum += x * g.mid[i];
      size += std::fabs(x) * (g.rad[i] + std::fabs(g.mid[i]) * sum_error_factor(e)) +
              error * (std::fabs(g.mid[i]) + g.rad[i]);
    }
    lo = std::min(lo, sum);
    hi = std::max(hi, sum);
    rad = std::max(rad, above(size));
  }
  if (least != nullptr) {
    *least = -sum_up(-lo, rad);
  }
  return above(sum_up(hi, -lo) + 2 * rad);
}

}  // namespace assay_check
