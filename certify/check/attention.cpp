#include "attention.hpp"

#include <algorithm>

namespace assay_check {

Attention::Attention(const Network& net) : net_(net) {
  const std::size_t d = net.d_model, e = net.d_head;
  for (std::size_t h = 0; h < net.n_heads; ++h) {
    for (std::size_t u = 0; u < net.d_vocab; ++u) {
      const std::vector<Interval> k = head_vector(h, u, net.W_K, net.b_K);
      const std::vector<Interval> v = head_vector(h, u, net.W_V, net.b_V);
      keys_.insert(keys_.end(), k.begin(), k.end());
      for (std::size_t i = 0; i < d; ++i) {
        outputs_.push_back(dot(v, net.W_O.data() + h * e * d + i, d));
      }
    }
    const auto row = net.rel_bias.begin() + static_cast<std::ptrdiff_t>(h * net.span());
    const float top = *std::max_element(row, row + static_cast<std::ptrdiff_t>(net.span()));
    for (std::size_t j = 0; j < net.span(); ++j) {
      bias_.push_back(exponential(Interval(net.rel_bias[h * net.span() + j]) - Interval(top)));
    }
  }
}

std::vector<Interval> Attention::head_vector(std::size_t head, std::size_t token,
                                             const std::vector<float>& W,
                                             const std::vector<float>& b) const {
  const std::size_t d = net_.d_model, e = net_.d_head;
  std::vector<Interval> out;
  for (std::size_t i = 0; i < e; ++i) {
    Interval sum(b[head * e + i]);
    for (std::size_t m = 0; m < d; ++m) {
      // The product of two float32 is exact in double.
      sum = sum + Interval(static_cast<double>(net_.W_E[token * d + m]) *
                           static_cast<double>(W[(head * d + m) * e + i]));
    }
    out.push_back(sum);
  }
  return out;
}

std::span<const Interval> Attention::output(std::size_t head, std::size_t token) const {
  return std::span(outputs_).subspan((head * net_.d_vocab + token) * net_.d_model, net_.d_model);
}

std::vector<Interval> Attention::project(std::span<const Interval> g) const {
  std::vector<Interval> nu;
  nu.reserve(net_.n_heads * net_.d_vocab);
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    for (std::size_t u = 0; u < net_.d_vocab; ++u) {
      nu.push_back(dot(g, output(h, u)));
    }
  }
  return nu;
}

const std::vector<Interval>& Attention::weights(std::size_t current) {
  const auto found = weights_.find(current);
  if (found != weights_.end()) {
    return found->second;
  }
  const std::size_t e = net_.d_head, V = net_.d_vocab;
  std::vector<Interval> all;
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    const std::vector<Interval> q = head_vector(h, current, net_.W_Q, net_.b_Q);
    std::vector<Interval> scores;
    double top = -0x1p1000;
    for (std::size_t u = 0; u < V; ++u) {
      scores.push_back(dot(q, std::span(keys_).subspan((h * V + u) * e, e)) / net_.scale);
      top = std::max(top, scores.back().hi());
    }
    for (const Interval& s : scores) {
      all.push_back(exponential(s - Interval(top)));
    }
  }
  return weights_.emplace(current, std::move(all)).first->second;
}

const Interval& Attention::bias_weight(std::size_t head, std::size_t back) const {
  return bias_[head * net_.span() + back];
}

std::vector<Interval> Attention::residual(std::size_t current) const {
  std::vector<Interval> x;
  for (std::size_t i = 0; i < net_.d_model; ++i) {
    x.push_back(Interval(net_.W_E[current * net_.d_model + i]) + Interval(net_.b_O[i]));
  }
  return x;
}

}  // namespace assay_check
