#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "one_layer.hpp"
#include "weighted_sum.hpp"

namespace assay::bounds {
namespace {

constexpr double kGrid = 0x1p-30;  // L is a multiple of it, so that certificates stay short

/// s_h(., u) without the bias, for the query token c: [V].
std::vector<Interval> scores(const OneLayer::Tables& t, std::size_t h, TokenId c) {
  const Ball q{t.queries[h].mid.row(index(c.at())), t.queries[h].radius.row(index(c.at()))};
  const Ball k{t.keys[h].mid.transpose(), t.keys[h].radius.transpose()};
  const Ball s = product(q, k);
  std::vector<Interval> out;
  for (std::size_t u = 0; u < t.vocab; ++u) {
    out.push_back(s.at(0, index(u)) / t.scale);
  }
  return out;
}

Suffix::Weights::Head head_weights(const OneLayer::Tables& t, std::size_t h,
                                   const std::vector<TokenId>& back) {
  const std::vector<Interval> s = scores(t, h, back[0]);
  double top = -std::numeric_limits<double>::infinity();
  double largest = 0;
  for (const Interval i : s) {
    top = std::max(top, i.hi);
    largest = std::max({largest, i.hi, -i.lo});
  }
  Suffix::Weights::Head head;
  std::vector<Interval> w;
  for (const Interval i : s) {
    w.push_back(attention_weight(i, top, weight_room(largest, 1)));
    head.lo.push_back(w.back().lo);
    head.hi.push_back(w.back().hi);
    head.mid.push_back(w.back().lo + w.back().width() / 2);
  }
  const float* bias = t.model->rel_bias.data.data() + h * t.window;
  const double top_bias = static_cast<double>(*std::max_element(bias, bias + t.window));
  head.free = Interval(0.0);
  for (std::size_t j = 0; j < t.window; ++j) {
    const Interval factor = exp(Interval(static_cast<double>(bias[j])) - Interval(top_bias));
    head.bias_factor.push_back(factor.lo + factor.width() / 2);
    if (j < back.size()) {
      head.known.push_back(factor * w[back[j].at()]);
    } else {
      head.free += factor;
    }
  }
  return head;
}

double on_grid_above(double x, double grid) {
  return std::ceil(x / grid) * grid;
}

}  // namespace

Suffix::Suffix(const OneLayer& layer, std::vector<TokenId> tokens)
    : layer_(layer), tokens_(std::move(tokens)) {
  const OneLayer::Tables& t = layer_.tables();
  if (tokens_.empty() || tokens_.size() > t.window) {
    throw InputError("suffix", "length", "1 to attention_window = " + std::to_string(t.window),
                     std::to_string(tokens_.size()));
  }
  for (const TokenId token : tokens_) {
    if (token.at() >= t.vocab) {
      throw InputError("suffix", "token", "an id below " + std::to_string(t.vocab),
                       std::to_string(token.at()));
    }
  }
  auto weights = std::make_shared<Weights>();
  weights->back.assign(tokens_.rbegin(), tokens_.rend());
  for (std::size_t h = 0; h < t.heads; ++h) {
    weights->heads.push_back(head_weights(t, h, weights->back));
  }
  weights_ = std::move(weights);
}

Ascent ascend(const Suffix::Weights::Head& head, const std::vector<TokenId>& back,
              const double* values, std::size_t vocab) {
  double weight = 0;
  double moment = 0;
  for (std::size_t j = 0; j < back.size(); ++j) {
    const double w = head.known[j].lo + head.known[j].width() / 2;
    weight += w;
    moment += w * values[back[j].at()];
  }
  Ascent best{moment / weight, std::nullopt};
  const double free = head.free.lo;
  if (!(free > 0)) {
    return best;
  }
  for (int round = 0; round < 100; ++round) {
    std::size_t arg = 0;
    double top = -std::numeric_limits<double>::infinity();
    for (std::size_t u = 0; u < vocab; ++u) {
      const double term = head.mid[u] * (values[u] - best.L);
      if (term > top) {
        top = term;
        arg = u;
      }
    }
    const double w = free * head.mid[arg];
    const double next = (moment + w * values[arg]) / (weight + w);
    if (!(next > best.L)) {
      break;
    }
    best = {next, TokenId(arg)};
  }
  return best;
}

bool attn_max_holds(const Suffix::Weights::Head& head, const std::vector<TokenId>& back,
                    const double* mid, const double* radius, std::size_t vocab, double L) {
  if (!(std::fabs(L) < LargestTerm::kLargest)) {
    return false;
  }
  const auto difference_hi = [&](std::size_t u) {
    return round_up(round_up(mid[u] + radius[u]) - L);
  };
  double known = 0;
  for (std::size_t j = 0; j < back.size(); ++j) {
    const double d = difference_hi(back[j].at());
    if (!(std::fabs(d) < LargestTerm::kLargest)) {
      return false;
    }
    known = sum_hi(known, weighted_hi(head.known[j].lo, head.known[j].hi, d));
  }
  if (!(known <= 0)) {
    return false;
  }
  if (back.size() == head.bias_factor.size()) {
    return true;  // no free position in the window
  }
  LargestTerm top;
  for (std::size_t u = 0; u < vocab; ++u) {
    if (!top.add(head.lo[u], head.hi[u], mid[u], radius[u], L)) {
      return false;
    }
  }
  return sum_hi(known, weighted_hi(head.free.lo, head.free.hi, top.hi())) <= 0;
}

HeadMaximum certified_maximum(const Suffix::Weights::Head& head, const std::vector<TokenId>& back,
                              const double* mid, const double* radius, std::size_t vocab) {
  Ascent start = ascend(head, back, mid, vocab);
  const double widest = *std::max_element(radius, radius + vocab);
  const auto [low, high] = std::minmax_element(mid, mid + vocab);
  const double hull = *high;
  start.L = std::isfinite(start.L) ? start.L : hull;  // every weight underflowed
  const double least = number_room(std::max(std::fabs(*low), std::fabs(hull)), widest, 1);
  const double grid = std::max(kGrid, std::exp2(std::ceil(std::log2(least)) + 2));
  double step = least;
  for (int attempt = 0; attempt < 200; ++attempt, step *= 2) {
    // No output is above every value: at the hull the least room will do.
    const bool all = start.L + step > hull + least;
    const double room = all ? least : step;
    const double L = on_grid_above((all ? hull : start.L) + room, grid);
    // Tested a little below, so that the number given passes with room.
    if (std::isfinite(L) && attn_max_holds(head, back, mid, radius, vocab, L - room / 2)) {
      return {L, start.maximiser};
    }
  }
  throw Error(ExitCode::internal, "ATTN-MAX: no bound passes the outward-rounded check");
}

std::vector<HeadMaximum> Suffix::attention_maximum(const Direction& g) const {
  const OneLayer::Tables& t = layer_.tables();
  require(g.mid.size() == t.d && g.radius.size() == t.d, "attention_maximum: direction size");
  std::vector<HeadMaximum> maxima;
  for (std::size_t h = 0; h < t.heads; ++h) {
    const Ball nu = t.values(h, g);
    maxima.push_back(certified_maximum(weights_->heads[h], weights_->back, nu.mid.data(),
                                       nu.radius.data(), t.vocab));
  }
  return maxima;
}

bool Suffix::accepts(HeadId head, const Direction& g, double L) const {
  const OneLayer::Tables& t = layer_.tables();
  require(head.at() < t.heads && g.mid.size() == t.d, "accepts: head or direction size");
  const Ball nu = t.values(head.at(), g);
  return attn_max_holds(weights_->heads[head.at()], weights_->back, nu.mid.data(), nu.radius.data(),
                        t.vocab, L);
}

Interval Suffix::base(const std::vector<Interval>& g) const {
  const OneLayer::Tables& t = layer_.tables();
  require(g.size() == t.d, "base: direction size");
  const Transformer& m = *t.model;
  Interval sum(0.0);
  for (std::size_t i = 0; i < t.d; ++i) {
    Interval x(static_cast<double>(m.W_E.at(tokens_.back().at(), i)));
    if (!m.b_O.data.empty()) {
      x += Interval(static_cast<double>(m.b_O.data[i]));
    }
    sum += g[i] * x;
  }
  return sum;
}

}  // namespace assay::bounds
