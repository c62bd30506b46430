#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"
#include "one_layer.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

constexpr std::uint32_t kWhole = 1U << 16U;
constexpr std::size_t kMaxRivals = 8;
constexpr std::size_t kQuickSteps = 8;
constexpr std::size_t kSteps = 80;
constexpr int kRounds = 4;

using Shares = std::vector<std::pair<std::uint32_t, double>>;

Interval weight_of(std::uint32_t weight) {
  return Interval(static_cast<double>(weight) * 0x1p-16);
}

Mixture towards_winner(const SuffixWork& work, const FoldProof& proof, const Mixture& mixture,
                       std::uint32_t token, double step) {
  std::vector<double> logits =
      logits_of(work.suffix.layer(), relaxed_maximiser(work.suffix, proof.maxima));
  logits[token] = -std::numeric_limits<double>::infinity();
  return moved_towards(
      mixture,
      static_cast<std::uint32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()),
      step);
}

std::string mixture_words(const Mixture& mixture) {
  std::string out = "M " + std::to_string(mixture.rivals.size());
  for (std::size_t i = 0; i < mixture.rivals.size(); ++i) {
    out += " " + std::to_string(mixture.rivals[i]) + " " + std::to_string(mixture.weights[i]);
  }
  return out;
}

}  // namespace

Mixture make_mixture(const std::vector<std::pair<std::uint32_t, double>>& shares) {
  require(!shares.empty(), "make_mixture: no rival");
  Shares kept = shares;
  std::stable_sort(kept.begin(), kept.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  kept.resize(std::min(kept.size(), kMaxRivals));
  double total = 0;
  for (const auto& share : kept) {
    total += share.second;
  }
  Mixture mixture;
  std::uint32_t given = 0;
  for (const auto& [rival, share] : kept) {
    const double part = total > 0 ? share / total : 1.0 / static_cast<double>(kept.size());
    const auto weight = static_cast<std::uint32_t>(std::floor(part * kWhole));
    if (weight > 0) {
      mixture.rivals.push_back(rival);
      mixture.weights.push_back(std::min(weight, kWhole - given));
      given += mixture.weights.back();
    }
  }
  mixture.weights.front() += kWhole - given;
  return mixture;
}

std::vector<Mixture> first_mixtures(const std::vector<double>& mean, std::uint32_t token) {
  Shares ranked;
  for (std::size_t y = 0; y < mean.size(); ++y) {
    if (y != token && std::isfinite(mean[y])) {
      ranked.emplace_back(static_cast<std::uint32_t>(y), mean[y]);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<Mixture> mixtures;
  if (ranked.empty()) {
    return mixtures;
  }
  mixtures.push_back(make_mixture({{ranked[0].first, 1.0}}));
  if (ranked.size() > 1) {
    mixtures.push_back(make_mixture({{ranked[1].first, 1.0}}));
    mixtures.push_back(make_mixture({{ranked[0].first, 0.5}, {ranked[1].first, 0.5}}));
    ranked.resize(std::min(ranked.size(), kMaxRivals));
    mixtures.push_back(make_mixture(ranked));
  }
  return mixtures;
}

Mixture moved_towards(const Mixture& mixture, std::uint32_t winner, double step) {
  Shares shares;
  bool found = false;
  for (std::size_t i = 0; i < mixture.rivals.size(); ++i) {
    const double kept = (1 - step) * static_cast<double>(mixture.weights[i]);
    const bool same = mixture.rivals[i] == winner;
    shares.emplace_back(mixture.rivals[i], kept + (same ? step * kWhole : 0.0));
    found = found || same;
  }
  if (!found) {
    shares.emplace_back(winner, step * kWhole);
  }
  return make_mixture(shares);
}

FoldTarget token_target(const OneLayer& layer, std::uint32_t token, const Mixture& mixture) {
  const OneLayer::Tables& t = layer.tables();
  std::vector<Interval> delta(t.d);
  Interval offset(t.b_U(index(token)));
  for (std::size_t i = 0; i < t.d; ++i) {
    delta[i] = Interval(t.W_U(index(i), index(token)));
  }
  for (std::size_t r = 0; r < mixture.rivals.size(); ++r) {
    const Interval w = weight_of(mixture.weights[r]);
    const Eigen::Index y = index(mixture.rivals[r]);
    offset = offset - w * Interval(t.b_U(y));
    for (std::size_t i = 0; i < t.d; ++i) {
      delta[i] = delta[i] - w * Interval(t.W_U(index(i), y));
    }
  }
  FoldTarget target{std::vector<Interval>(t.f, Interval(0.0)), delta, offset};
  for (std::size_t i = 0; i < t.d; ++i) {
    target.const0 += Interval(t.b_out(index(i))) * delta[i];
  }
  for (std::size_t j = 0; j < t.f; ++j) {
    for (std::size_t i = 0; i < t.d; ++i) {
      target.kappa[j] += Interval(t.W_out(index(j), index(i))) * delta[i];
    }
  }
  return target;
}

/// TOKEN-OUT   MLP-FOLD of l_u - sum_i omega_i l_{y_i}, omega_i >= 0, sum 1; the sum is <= max_y l_y
Conclusion token_out(SuffixWork& work, const AttackPool& pool, const Claim& claim) {
  const OneLayer& layer = work.suffix.layer();
  std::optional<Mixture> best;
  FoldProof proof;
  const auto consider = [&](const Mixture& mixture) {
    FoldProof next = mlp_fold(work.suffix, work.neurons(),
                              token_target(layer, claim.target, mixture), kQuickSteps);
    if (best && !(next.hi < proof.hi)) {
      return false;
    }
    best = mixture;
    proof = std::move(next);
    return true;
  };
  for (const Mixture& mixture : first_mixtures(pool.hard_probabilities(claim), claim.target)) {
    consider(mixture);
  }
  if (!best) {
    return {"TOKEN-OUT", true, "", std::numeric_limits<double>::infinity()};
  }
  double step = 0.5;
  for (int round = 0; round < kRounds; ++round) {
    if (!consider(towards_winner(work, proof, *best, claim.target, step))) {
      step /= 2;
    }
  }
  FoldProof last =
      mlp_fold(work.suffix, work.neurons(), token_target(layer, claim.target, *best), kSteps);
  if (last.hi < proof.hi) {
    proof = std::move(last);
  }
  return {"TOKEN-OUT", true, mixture_words(*best) + " " + fold_words(proof), proof.hi};
}

}  // namespace assay::bounds
