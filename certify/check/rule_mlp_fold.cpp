#include <algorithm>
#include <set>

#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

/// A functional const0 + <g0, m> + Σ_j κ_j relu(z_j).
struct Functional {
  std::vector<Interval> g0, kappa;
  Interval const0;
};

/// A complete NEURONS fact about exactly the claim's suffix.
const NeuronFact& neurons_of(Session& session, const Step& step, const RequestClaim& claim) {
  if (step.premises.size() != 1) {
    refuse(step, "expected one premise, a NEURONS step");
  }
  const auto fact = session.neurons.find(std::string(step.premises[0]));
  if (fact == session.neurons.end() ||
      fact->second.ranges.size() != session.attention().net().d_mlp) {
    refuse(step, "no complete NEURONS of this id");
  }
  if (session.suffixes.at(fact->second.suffix_id) != claim.suffix) {
    refuse(step, "the suffix is not the claim's");
  }
  return fact->second;
}

/// gap >= relu(z) − a z on [lo, hi], convex and >= 0 for a in [0, 1].
Interval gap(const Interval& range, double a) {
  const auto excess = [a](double z) {
    return (Interval(std::max(z, 0.0)) - Interval(a) * Interval(z)).hi();
  };
  return {0, std::max({excess(range.lo()), excess(range.hi()), 0.0})};
}

// MLP-FOLD
//   a_j in [0, 1]    z_j in [lo_j, hi_j]    G = g0 + Σ_j κ_j a_j W_in[:, j]    L_h is ATTN-MAX for G
//   bound = const0 + Σ_j κ_j a_j b_in[j] + Σ_j max(κ_j, 0) gap_j + <G, x_c + b_O> + Σ_h L_h
//   ------------------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j relu(z_j) <= bound in every context of the domain
Interval mlp_fold(Session& session, const Step& step, const Functional& f,
                  const NeuronFact& neurons, std::span<const std::string_view> words) {
  Attention& attention = session.attention();
  const Network& net = attention.net();
  const std::size_t d = net.d_model, n = net.d_mlp;
  if (words.size() != n + net.n_heads + 2 || words[0] != "S" || words[n + 1] != "L") {
    refuse(step, "expected S a_0 … L L_0 …");
  }
  const Suffix& suffix = session.suffixes.at(neurons.suffix_id);
  std::vector<Interval> G = f.g0;
  Interval bound = f.const0;
  for (std::size_t j = 0; j < n; ++j) {
    const double a = parse_hex(words[j + 1]);
    if (!(a >= 0 && a <= 1)) {
      refuse(step, "slope " + std::to_string(j) + " is outside [0, 1]");
    }
    const Interval slope = f.kappa[j] * Interval(a);
    for (std::size_t i = 0; i < d; ++i) {
      G[i] = G[i] + slope * Interval(net.W_in[i * n + j]);
    }
    bound = bound + slope * Interval(net.b_in[j]);
    bound = bound + positive_part(f.kappa[j]) * gap(neurons.ranges[j], a);
  }
  bound = bound + dot(G, attention.residual(suffix.back()));
  return bound +
         attention.sum_of_maxima(attention.project(G), suffix, words.subspan(n + 2), step.rule);
}

/// The rivals of a TOKEN-OUT step and their weights, Σ = 1 exactly.
struct Mixture {
  std::vector<std::size_t> tokens;
  std::vector<Interval> weights;
};

Mixture read_mixture(const Step& step, std::size_t token, std::size_t d_vocab_out) {
  if (step.words.size() < 2 || step.words[0] != "M") {
    refuse(step, "expected M r y_1 w_1 …");
  }
  const std::size_t r = parse_nat(step.words[1]);
  if (r == 0 || step.words.size() < 2 || (step.words.size() - 2) / 2 < r) {
    refuse(step, "expected M r y_1 w_1 … with r >= 1 rivals");
  }
  constexpr std::size_t kOne = 65536;
  Mixture mixture;
  std::set<std::size_t> seen{token};
  std::size_t total = 0;
  for (std::size_t i = 0; i < r; ++i) {
    const std::size_t y = parse_nat_below(step.words[2 + 2 * i], d_vocab_out, "a token");
    const std::size_t w = parse_nat_below(step.words[3 + 2 * i], kOne + 1, "a weight");
    if (!seen.insert(y).second) {
      refuse(step, "a rival stands twice or is the token itself");
    }
    mixture.tokens.push_back(y);
    mixture.weights.emplace_back(static_cast<double>(w) / static_cast<double>(kOne));
    total += w;
  }
  if (total != kOne) {
    refuse(step, "the weights do not add to 1");
  }
  return mixture;
}

/// l_u − Σ ω_i l_{y_i} as a functional of m and relu(z).
Functional logit_difference(const Network& net, std::size_t token, const Mixture& mixture) {
  const std::size_t d = net.d_model, V = net.d_vocab_out;
  const auto difference = [&](const float* row) {
    Interval value(row[token]);
    for (std::size_t i = 0; i < mixture.tokens.size(); ++i) {
      value = value - mixture.weights[i] * Interval(row[mixture.tokens[i]]);
    }
    return value;
  };
  Functional f;
  for (std::size_t i = 0; i < d; ++i) {
    f.g0.push_back(difference(net.W_U.data() + i * V));
  }
  for (std::size_t j = 0; j < net.d_mlp; ++j) {
    f.kappa.push_back(dot(f.g0, net.W_out.data() + j * d, 1));
  }
  f.const0 = dot(f.g0, net.b_out.data(), 1) + difference(net.b_U.data());
  return f;
}

}  // namespace

// FEATURE-OFF-MLP (the SAE reads blocks.0.mlp.hook_post)
//   MLP-FOLD with κ_j = W_enc[j, i], g0 = 0, const0 = β_i gives bound <= threshold_i
//   --------------------------------------------------------------------------------
//   in every context of the domain the feature's pre-activation is <= its threshold
void rule_feature_off_mlp(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, RequestClaim::Kind::feature_off);
  const NeuronFact& neurons = neurons_of(session, step, claim);
  const Network& net = session.attention().net();
  const SaeEncoder& sae = session.sae();
  if (sae.hook != "blocks.0.mlp.hook_post" || sae.d_in != net.d_mlp || claim.subject >= sae.d_sae) {
    refuse(step, "the SAE does not read blocks.0.mlp.hook_post, or has no such feature");
  }
  const Functional f{std::vector<Interval>(net.d_model), sae.direction(claim.subject),
                     sae.offset(claim.subject)};
  const Interval bound = mlp_fold(session, step, f, neurons, step.words);
  if (!(bound.hi() <= static_cast<double>(sae.threshold[claim.subject]))) {
    refuse(step, "the bound is not shown to be at most the threshold");
  }
  conclude_feature_off(session, claim);
}

// TOKEN-OUT
//   Σ ω_i = 1, y_i distinct, none is u      MLP-FOLD of l_u − Σ ω_i l_{y_i} gives bound < ln ρ (· T)
//   ---------------------------------------------------------------------------------------------
//   l_u − max l < ln ρ (· T) in every context of the domain: min-p drops u
void rule_token_out(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, RequestClaim::Kind::token_out);
  const NeuronFact& neurons = neurons_of(session, step, claim);
  const Network& net = session.attention().net();
  if (claim.subject >= net.d_vocab_out) {
    refuse(step, "the model has no such token");
  }
  const Mixture mixture = read_mixture(step, claim.subject, net.d_vocab_out);
  const Functional f = logit_difference(net, claim.subject, mixture);
  const Interval bound = mlp_fold(session, step, f, neurons,
                                  std::span(step.words).subspan(2 + 2 * mixture.tokens.size()));
  const MinP& decoder = session.request_decoder();
  if (!(bound.hi() < decoder.cut().lo())) {
    refuse(step, "the bound is not shown to be below the decoder's cut");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "token " + std::to_string(claim.subject) +
           " is never emitted after any context of any length that ends in tokens " +
           tokens_text(claim.suffix) + ", decoder " + decoder.text() + " (real arithmetic)"});
}

}  // namespace assay_check
