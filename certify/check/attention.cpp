#include "attention.hpp"

#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"
#include "special.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxTable = std::size_t{1} << 26;

}  // namespace

Attention::Attention(const Network& net) : net_(net), activation_(net.act) {
  const std::size_t d = net.d_model;
  if (rows() * net.n_heads * net.d_head > kMaxTable || rows() * d > kMaxTable) {
    throw Reject("model", "tokens, positions and heads over the checker's limit");
  }
  for (std::size_t r = 0; r < rows(); ++r) {
    const std::size_t V = net.d_vocab;
    std::vector<Interval> x = exact(r < V ? &net.W_E[r * d] : &net.W_pos[(r - V) * d], d);
    if (net.normalised) {
      x = centred(x) * net.ln1_w;
    }
    inputs_.emplace_back(x);
  }
  for (std::size_t h = 0; h < net.n_heads; ++h) {
    keys_.push_back(table(h, net.W_K, net.b_K));
    values_.push_back(table(h, net.W_V, net.b_V));
  }
  inputs_.clear();
  fill_bias();
}

void Attention::fill_bias() {
  if (net_.rel_bias.empty()) {
    bias_.emplace_back(1.0);
    return;
  }
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    const auto row = net_.rel_bias.begin() + static_cast<std::ptrdiff_t>(h * net_.span());
    const float top = *std::max_element(row, row + static_cast<std::ptrdiff_t>(net_.span()));
    for (std::size_t j = 0; j < net_.span(); ++j) {
      bias_.push_back(exponential(Interval(net_.rel_bias[h * net_.span() + j]) - Interval(top)));
    }
  }
}

Attention::Table Attention::table(std::size_t head, const std::vector<float>& W,
                                  const std::vector<float>& b) const {
  const std::size_t d = net_.d_model, e = net_.d_head;
  const float* matrix = W.data() + head * d * e;
  Table t;
  t.mid.resize(rows() * e);
  for (std::size_t r = 0; r < rows(); ++r) {
    const Ball y = times(inputs_[r], matrix, e);
    double norm = 0;
    for (std::size_t i = 0; i < e; ++i) {
      t.mid[i * rows() + r] = y.mid[i];
      norm += std::fabs(y.mid[i]);
    }
    t.rad.push_back(*std::max_element(y.rad.begin(), y.rad.end()));
    t.norm.push_back(enlarge(norm));
  }
  const std::vector<float> zeros(d, 0.0F);
  t.offset = times(Ball(exact(net_.normalised ? net_.ln1_b.data() : zeros.data(), d)), matrix, e,
                   b.data() + head * e);
  return t;
}

// |Σ q_i t_i − fl| <= norm (γ max|q| + max rad q) + rad t Σ (|q_i| + rad q_i).
Dots Attention::dots(const Table& table, const Ball& q) const {
  const std::size_t e = net_.d_head, R = rows();
  Dots out;
  out.value.assign(R, 0);
  double top = 0, rad = 0, sum = 0;
  for (std::size_t i = 0; i < e; ++i) {
    const double v = q.mid[i];
    const double* row = table.mid.data() + i * R;
    for (std::size_t r = 0; r < R; ++r) {
      out.value[r] += v * row[r];
    }
    top = std::max(top, std::fabs(v));
    rad = std::max(rad, q.rad[i]);
    sum += std::fabs(v) + q.rad[i];
  }
  const double relative = (sum_error_factor(e) + 0x1p-49) * top + rad;
  out.error.resize(R);
  out.size.resize(R);
  for (std::size_t r = 0; r < R; ++r) {
    out.error[r] = enlarge(table.norm[r] * relative + table.rad[r] * enlarge(sum));
    out.size[r] = enlarge(table.norm[r] * top + out.error[r]);
    out.largest = std::max(out.largest, out.size[r]);
  }
  out.offset = dot(intervals(q), intervals(table.offset));
  return out;
}

std::vector<Interval> Attention::input(std::size_t token, std::size_t position) const {
  const std::size_t d = net_.d_model;
  std::vector<Interval> x = exact(&net_.W_E[token * d], d);
  return net_.standard() ? x + exact(&net_.W_pos[position * d], d) : x;
}

// R_j: (q_i, q_{i+H}) -> (q_i cos jθ_i − q_{i+H} sin jθ_i, q_{i+H} cos jθ_i + q_i sin jθ_i),
// θ_i = rotary_base^{−i/H}
Ball Attention::query(std::size_t head, std::size_t token, std::size_t position, std::size_t back) {
  const std::size_t d = net_.d_model, e = net_.d_head, half = net_.rotary_dim / 2;
  std::vector<Interval> x = input(token, position);
  if (net_.normalised) {
    x = normalise(x, net_.ln1_w, net_.ln1_b);
  }
  Ball q = times(Ball(x), net_.W_Q.data() + head * d * e, e, net_.b_Q.data() + head * e);
  if (half == 0) {
    return q;
  }
  auto& turn = turns_[back];
  for (std::size_t i = turn.size(); i < half; ++i) {
    const Interval part = quotient(-static_cast<std::int64_t>(i), static_cast<std::int64_t>(half));
    const Interval angle =
        Interval(static_cast<double>(back)) * exponential(part * logarithm(net_.rotary_base));
    turn.emplace_back(cosine(angle), sine(angle));
  }
  std::vector<Interval> out = intervals(q);
  for (std::size_t i = 0; i < half; ++i) {
    const auto& [c, s] = turn[i];
    out[i] = q[i] * c - q[i + half] * s;
    out[i + half] = q[i + half] * c + q[i] * s;
  }
  return Ball(out);
}

Dots Attention::key_dots(std::size_t head, const Ball& query) const {
  return dots(keys_[head], query);
}

Projection Attention::project(std::span<const Interval> g) const {
  const Ball direction(g);
  Projection all;
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    const float* W = net_.W_O.data() + h * net_.d_head * net_.d_model;
    all.push_back(dots(values_[h], times(W, net_.d_head, direction)));
  }
  return all;
}

std::vector<Interval> Attention::entry(const Table& table, std::size_t token,
                                       std::size_t position) {
  const std::size_t R = rows();
  const Scale& s = scale(position);
  const double mid = s.mid.empty() ? 1 : s.mid[token];
  const Interval factor = Interval(mid) * (Interval(1) + Interval(-s.spread, s.spread));
  const auto at = [&](std::size_t i, std::size_t r) {
    return Interval(table.mid[i * R + r]) + Interval(-table.rad[r], table.rad[r]);
  };
  std::vector<Interval> out;
  for (std::size_t i = 0; i < net_.d_head; ++i) {
    Interval x = at(i, token);
    if (net_.standard()) {
      x = x + at(i, net_.d_vocab + position);
    }
    out.push_back(factor * x + table.offset[i]);
  }
  return out;
}

std::vector<Interval> Attention::key(std::size_t head, std::size_t token, std::size_t position) {
  return entry(keys_[head], token, position);
}

std::vector<Interval> Attention::value(std::size_t head, std::size_t token, std::size_t position) {
  return entry(values_[head], token, position);
}

const Attention::Scale& Attention::scale(std::size_t position) {
  const auto known = scales_.find(position);
  if (known != scales_.end()) {
    return known->second;
  }
  Scale s;
  if (net_.normalised) {
    s.largest = 0;
    const Interval d(static_cast<double>(net_.d_model));
    for (std::size_t t = 0; t < net_.d_vocab; ++t) {
      const Interval r = reciprocal_root(square_sum(centred(input(t, position))) / d + net_.eps);
      s.mid.push_back(r.lo());
      s.spread = std::max(s.spread, enlarge((r.hi() - r.lo()) / r.lo()));
      s.largest = std::max(s.largest, r.hi());
    }
  }
  return scales_.emplace(position, std::move(s)).first->second;
}

// LN(y) = P y / sqrt(|P y|²/d + eps) ∘ w + b
std::vector<Interval> Attention::normalise(std::span<const Interval> y, const std::vector<float>& w,
                                           const std::vector<float>& b) const {
  const std::vector<Interval> P = centred(y);
  const Interval d(static_cast<double>(y.size()));
  return (reciprocal_root(square_sum(P) / d + net_.eps) * P) * w + exact(b.data(), b.size());
}

}  // namespace assay_check
