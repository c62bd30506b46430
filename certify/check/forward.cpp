#include "forward.hpp"

#include <algorithm>

#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxHeld = std::size_t{1} << 20;

/// x W + b for W [n, m]
std::vector<Interval> affine(const std::vector<Interval>& x, const std::vector<float>& W,
                             const std::vector<float>& b) {
  return intervals(times(Ball(x), W.data(), b.size(), b.data()));
}

}  // namespace

const std::vector<Interval>& Position::hook(const std::string& name) const {
  if (name == "blocks.0.hook_resid_mid") {
    return mid;
  }
  if (name == "blocks.0.mlp.hook_pre") {
    return pre;
  }
  if (name == "blocks.0.mlp.hook_post") {
    return post;
  }
  if (name == "blocks.0.hook_mlp_out") {
    return mlp_out;
  }
  if (name == "blocks.0.hook_resid_post") {
    return resid_post;
  }
  throw Reject("model", "hook " + name + " is not evaluated");
}

// <R_j q_h, k_h(j, u)> / attn_scale + rel_bias[h][j], one a head
const std::vector<Interval>& Forward::scores(std::size_t query, std::size_t position,
                                             std::size_t back, std::size_t token) {
  const std::array<std::size_t, 4> key{query, position, back, token};
  const auto known = scores_.find(key);
  if (known != scores_.end()) {
    return known->second;
  }
  const Network& net = attention_.net();
  const std::size_t at = net.standard() ? position - back : 0;
  std::vector<Interval> all;
  for (std::size_t h = 0; h < net.n_heads; ++h) {
    const Ball q = attention_.query(h, query, position, back);
    Interval s = dot(intervals(q), attention_.key(h, token, at)) / net.scale;
    if (!net.rel_bias.empty()) {
      s = s + Interval(net.rel_bias[h * net.span() + back]);
    }
    all.push_back(s);
  }
  return scores_.emplace(key, std::move(all)).first->second;
}

const std::vector<Interval>& Forward::values(std::size_t token, std::size_t position) {
  const std::array<std::size_t, 2> key{token, position};
  const auto known = values_.find(key);
  if (known != values_.end()) {
    return known->second;
  }
  std::vector<Interval> all;
  for (std::size_t h = 0; h < attention_.net().n_heads; ++h) {
    const std::vector<Interval> v = attention_.value(h, token, position);
    all.insert(all.end(), v.begin(), v.end());
  }
  return values_.emplace(key, std::move(all)).first->second;
}

// m = x(p,c) + b_O + Σ_h ( Σ_j e^{s_h(j,u_j)} v_h(j,u_j) ) W_O[h] / Σ_j e^{s_h(j,u_j)}
void Forward::add_attention(std::span<const std::size_t> back, std::size_t position,
                            std::vector<Interval>& mid) {
  const Network& net = attention_.net();
  const std::size_t H = net.n_heads, e = net.d_head, d = net.d_model;
  std::vector<const std::vector<Interval>*> score, value;
  for (std::size_t j = 0; j < back.size(); ++j) {
    score.push_back(&scores(back[0], position, j, back[j]));
    value.push_back(&values(back[j], net.standard() ? position - j : 0));
  }
  for (std::size_t h = 0; h < H; ++h) {
    double top = -0x1p1000;
    for (const auto* s : score) {
      top = std::max(top, (*s)[h].hi());
    }
    Interval total;
    std::vector<Interval> mean(e);
    for (std::size_t j = 0; j < back.size(); ++j) {
      const Interval w = exponential_of_negative((*score[j])[h] - Interval(top));
      total = total + w;
      for (std::size_t i = 0; i < e; ++i) {
        mean[i] = mean[i] + w * (*value[j])[h * e + i];
      }
    }
    for (Interval& x : mean) {
      x = x / total;
    }
    mid = mid + intervals(times(Ball(mean), net.W_O.data() + h * e * d, d));
  }
}

Position Forward::at(std::span<const std::size_t> back, std::size_t n) {
  const Network& net = attention_.net();
  if (!net.has_length(n) || back.size() != std::min(n, net.span())) {
    throw Reject("model", "a context of " + std::to_string(n) + " tokens");
  }
  if (scores_.size() + values_.size() > kMaxHeld) {
    scores_.clear();
    values_.clear();
  }
  const std::size_t position = attention_.query_position(n);
  Position at;
  at.mid = attention_.input(back[0], position) + exact(net.b_O.data(), net.d_model);
  add_attention(back, position, at.mid);
  at.resid_post = at.mid;
  if (!net.attn_only()) {
    at.pre = affine(net.normalised ? attention_.normalise(at.mid, net.ln2_w, net.ln2_b) : at.mid,
                    net.W_in, net.b_in);
    for (const Interval& z : at.pre) {
      at.post.push_back(attention_.activation().value(z));
    }
    at.mlp_out = affine(at.post, net.W_out, net.b_out);
    at.resid_post = at.mid + at.mlp_out;
  }
  at.unembedded = net.normalised
                      ? attention_.normalise(at.resid_post, net.ln_final_w, net.ln_final_b)
                      : at.resid_post;
  return at;
}

std::vector<Interval> Forward::logits(const Position& at) const {
  return affine(at.unembedded, attention_.net().W_U, attention_.net().b_U);
}

}  // namespace assay_check
