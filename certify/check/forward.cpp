#include "forward.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

/// x W + b for W [n, m]
std::vector<Interval> affine(std::span<const Interval> x, const std::vector<float>& W,
                             const std::vector<float>& b) {
  std::vector<Interval> out;
  for (std::size_t i = 0; i < b.size(); ++i) {
    out.push_back(dot(x, W.data() + i, b.size()) + Interval(b[i]));
  }
  return out;
}

void add_head(Attention& attention, std::size_t head, std::span<const std::size_t> context,
              std::vector<Interval>& mid) {
  const Network& net = attention.net();
  const std::size_t seen = std::min(context.size(), net.span());
  const std::vector<Interval>& weights = attention.weights(context.back());
  Interval total;
  std::vector<Interval> sum(net.d_model);
  for (std::size_t j = 0; j < seen; ++j) {
    const std::size_t u = context[context.size() - 1 - j];
    const Interval w = weights[head * net.d_vocab + u] * attention.bias_weight(head, j);
    const std::span<const Interval> value = attention.output(head, u);
    total = total + w;
    for (std::size_t i = 0; i < net.d_model; ++i) {
      sum[i] = sum[i] + w * value[i];
    }
  }
  for (std::size_t i = 0; i < net.d_model; ++i) {
    mid[i] = mid[i] + sum[i] / total;
  }
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

Position evaluate(Attention& attention, std::span<const std::size_t> context) {
  const Network& net = attention.net();
  if (context.empty() || (net.window == 0 && context.size() > net.n_ctx)) {
    throw Reject("model", "a context of " + std::to_string(context.size()) + " tokens");
  }
  Position at;
  at.mid = attention.residual(context.back());
  for (std::size_t h = 0; h < net.n_heads; ++h) {
    add_head(attention, h, context, at.mid);
  }
  at.pre = affine(at.mid, net.W_in, net.b_in);
  for (const Interval& z : at.pre) {
    at.post.push_back(positive_part(z));
  }
  at.mlp_out = affine(at.post, net.W_out, net.b_out);
  for (std::size_t i = 0; i < net.d_model; ++i) {
    at.resid_post.push_back(at.mid[i] + at.mlp_out[i]);
  }
  at.logits = affine(at.resid_post, net.W_U, net.b_U);
  return at;
}

}  // namespace assay_check
