#include "assay/model/decoder_rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// Tokens that the decoder reads, by id, with their logits.
struct Read {
  std::vector<TokenId> tokens;
  std::vector<double> logits;
  double top = -kInf;
};

Read read(const DecoderRule& rule, std::span<const double> logits) {
  Read out;
  const auto add = [&](TokenId t) {
    const double l = logits[t.at()];
    if (!std::isfinite(l)) {
      throw Error(ExitCode::malformed, "decoder: the logit of token " + std::to_string(t.at()) +
                                           " is not a finite number");
    }
    out.tokens.push_back(t);
    out.logits.push_back(l);
    out.top = std::max(out.top, l);
  };
  if (rule.mask == DecoderRule::Mask::before) {
    for (const TokenId t : rule.allowed) {
      add(t);
    }
  } else {
    for (std::size_t t = 0; t < logits.size(); ++t) {
      add(TokenId(t));
    }
  }
  require(!out.tokens.empty(), "token_law: no token to choose from");
  return out;
}

/// Which of the read tokens are kept, and the slack of that.
struct Kept {
  std::vector<bool> kept;
  double slack = kInf;
};

/// l_t - max l >= cut
Kept by_cut(const Read& r, double cut) {
  Kept out{std::vector<bool>(r.tokens.size()), kInf};
  for (std::size_t i = 0; i < r.tokens.size(); ++i) {
    const double margin = r.logits[i] - r.top - cut;
    out.kept[i] = margin >= 0;
    if (r.logits[i] != r.top || cut == 0) {  // the largest is kept whatever the cut is
      out.slack = std::min(out.slack, std::abs(margin));
    }
  }
  return out;
}

/// The one of the smallest id among the largest.
Kept greedy(const Read& r) {
  Kept out{std::vector<bool>(r.tokens.size()), kInf};
  const auto best = std::max_element(r.logits.begin(), r.logits.end()) - r.logits.begin();
  out.kept[static_cast<std::size_t>(best)] = true;
  for (std::size_t i = 0; i < r.logits.size(); ++i) {
    if (i != static_cast<std::size_t>(best)) {
      out.slack = std::min(out.slack, r.top - r.logits[i]);
    }
  }
  return out;
}

/// Fewer than K tokens have a greater logit.
Kept by_rank(const Read& r, std::size_t k) {
  Kept out{std::vector<bool>(r.tokens.size(), true), kInf};
  if (k >= r.tokens.size()) {
    return out;
  }
  std::vector<double> sorted = r.logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (std::size_t i = 0; i < r.tokens.size(); ++i) {
    out.kept[i] = r.logits[i] >= sorted[k - 1];
  }
  out.slack = sorted[k - 1] - sorted[k];
  return out;
}

/// The tokens of greater logit have together less than P of softmax(l / heat).
Kept by_nucleus(const Read& r, double share, double heat) {
  Kept out{std::vector<bool>(r.tokens.size()), kInf};
  std::vector<std::size_t> order(r.tokens.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return r.logits[a] > r.logits[b]; });
  double total = 0;
  for (const std::size_t i : order) {
    total += std::exp((r.logits[i] - r.top) / heat);
  }
  double before = 0, greater = 0;  // greater: of the tokens above the present group of ties
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t i = order[at];
    if (at > 0) {
      const double gap = r.logits[order[at - 1]] - r.logits[i];
      if (gap > 0) {
        greater = before;
      }
      if (out.kept[order[at - 1]] != (greater < share)) {
        out.slack = std::min(out.slack, gap);  // a swap of these two would keep another one
      }
      out.slack = std::min(out.slack, std::abs(greater - share));
    }
    out.kept[i] = at == 0 || greater < share;
    before += std::exp((r.logits[i] - r.top) / heat) / total;
  }
  return out;
}

Kept keep(const DecoderRule& rule, const Read& r) {
  const double heat = rule.temperature_first ? rule.temperature.nearest() : 1.0;
  switch (rule.kind) {
    case DecoderRule::Kind::greedy:
      return greedy(r);
    case DecoderRule::Kind::min_p:
      return by_cut(r, rule.share == Rational{1, 1} ? 0 : heat * std::log(rule.share.nearest()));
    case DecoderRule::Kind::top_k:
      return by_rank(r, rule.k);
    case DecoderRule::Kind::top_p:
      return by_nucleus(r, rule.share.nearest(), heat);
    case DecoderRule::Kind::plain:
      break;
  }
  return {std::vector<bool>(r.tokens.size(), true), kInf};
}

}  // namespace

TokenLaw token_law(const DecoderRule& rule, std::span<const double> logits) {
  const Read r = read(rule, logits);
  const Kept kept = keep(rule, r);
  const double temperature = rule.temperature.nearest();
  TokenLaw law;
  law.slack = kept.slack;
  double total = 0;
  for (std::size_t i = 0; i < r.tokens.size(); ++i) {
    const bool dropped =
        rule.mask == DecoderRule::Mask::after &&
        !std::binary_search(rule.allowed.begin(), rule.allowed.end(), r.tokens[i]);
    if (kept.kept[i] && !dropped) {
      law.tokens.push_back(r.tokens[i]);
      law.probabilities.push_back(std::exp((r.logits[i] - r.top) / temperature));
      total += law.probabilities.back();
    }
  }
  if (total == 0 && !law.tokens.empty()) {
    // Far below the largest under a mask after the cut: e^(l/T) underflows; take them relative to their own largest.
    double top = -kInf;
    for (const TokenId t : law.tokens) {
      top = std::max(top, logits[t.at()]);
    }
    for (std::size_t i = 0; i < law.tokens.size(); ++i) {
      law.probabilities[i] = std::exp((logits[law.tokens[i].at()] - top) / temperature);
      total += law.probabilities[i];
    }
  }
  for (double& p : law.probabilities) {
    p /= total;
  }
  return law;
}

Draw draw(const DecoderRule& rule, std::span<const double> logits, double u) {
  const TokenLaw law = token_law(rule, logits);
  if (law.tokens.empty()) {
    return {std::nullopt, law.slack};
  }
  double begin = 0;
  for (std::size_t i = 0;; ++i) {
    const bool last = i + 1 == law.tokens.size();
    const double end = begin + law.probabilities[i];
    if (u < end || last) {
      double slack = law.slack;
      slack = i == 0 ? slack : std::min(slack, u - begin);
      slack = last ? slack : std::min(slack, end - u);
      return {law.tokens[i], slack};
    }
    begin = end;
  }
}

}  // namespace assay
