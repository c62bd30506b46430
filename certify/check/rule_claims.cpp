#include <set>

#include "reject.hpp"
#include "target.hpp"

namespace assay_check {
namespace {

/// The case of the premise, a SUFFIX or the NEURONS of one, about exactly the claim's suffix.
std::string suffix_of(Session& session, const Step& step, const RequestClaim& claim, bool neurons) {
  const auto& ranges = session.facts().ranges;
  std::string id(step.premises.size() == 1 ? step.premises[0] : "");
  if (neurons) {
    const auto found = ranges.find(id);
    if (found == ranges.end() || found->second.opener != "NEURONS") {
      refuse(step, "expected one premise, a NEURONS step");
    }
    id = found->second.case_id;
  }
  if (session.facts().find_case(step, id).suffix != claim.suffix) {
    refuse(step, "the suffix is not the claim's");
  }
  return id;
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

/// l_u − Σ ω_i l_{y_i}
Target logit_difference(const Network& net, std::size_t token, const Mixture& mixture) {
  const auto difference = [&](const float* row) {
    Interval value(row[token]);
    for (std::size_t i = 0; i < mixture.tokens.size(); ++i) {
      value = value - mixture.weights[i] * Interval(row[mixture.tokens[i]]);
    }
    return value;
  };
  std::vector<Interval> delta;
  for (std::size_t i = 0; i < net.d_model; ++i) {
    delta.push_back(difference(net.W_U.data() + i * net.d_vocab_out));
  }
  return residual_target(net, delta, difference(net.b_U.data()));
}

}  // namespace

// FEATURE-OFF (the SAE reads blocks.0.hook_resid_mid), FEATURE-OFF-MLP (blocks.0.mlp.hook_post)
//   LINEAR, MLP-FOLD bounds the feature's pre-activation by U <= threshold_i
//   ----------------------------------------------------------------------------------------
//   in every context of the domain the feature's pre-activation is <= its threshold
void rule_feature_off(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::feature_off);
  const bool mlp = step.rule == "FEATURE-OFF-MLP";
  const std::string suffix = suffix_of(session, step, claim, mlp);
  const Target target = claim_target(session, step, claim, true);
  if (session.sae().hook != (mlp ? "blocks.0.mlp.hook_post" : "blocks.0.hook_resid_mid")) {
    refuse(step, "the SAE reads another hook");
  }
  const double bound = target_bound(session, step, mlp ? "MLP-FOLD" : "LINEAR", suffix, target,
                                    mlp ? step.premises[0] : "", WordReader(step, step.words));
  if (!(bound <= static_cast<double>(session.sae().threshold[claim.subject]))) {
    refuse(step, "the bound is not shown to be at most the threshold");
  }
  session.conclusions.push_back({claim.id, "PROVED",
                                 "feature " + std::to_string(claim.subject) +
                                     " is off in every context of any length that ends in tokens " +
                                     tokens_text(claim.suffix) + session.source(claim.quantity) +
                                     " (real arithmetic)"});
}

// TOKEN-OUT
//   Σ ω_i = 1, y_i distinct, none is u      MLP-FOLD of l_u − Σ ω_i l_{y_i} gives bound < ln ρ (· T)
//   ---------------------------------------------------------------------------------------------
//   l_u − max l < ln ρ (· T) in every context of the domain: min-p drops u
void rule_token_out(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::token_out);
  const std::string suffix = suffix_of(session, step, claim, true);
  const Network& net = session.attention().net();
  if (claim.subject >= net.d_vocab_out) {
    refuse(step, "the model has no such token");
  }
  const Mixture mixture = read_mixture(step, claim.subject, net.d_vocab_out);
  const double bound =
      target_bound(session, step, "MLP-FOLD", suffix, logit_difference(net, claim.subject, mixture),
                   step.premises[0],
                   WordReader(step, std::span(step.words).subspan(2 + 2 * mixture.tokens.size())));
  const MinP& decoder = session.request_decoder();
  if (!(bound < decoder.cut().lo())) {
    refuse(step, "the bound is not shown to be below the decoder's cut");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "token " + std::to_string(claim.subject) +
           " is never emitted after any context of any length that ends in tokens " +
           tokens_text(claim.suffix) + ", decoder " + decoder.text() + " (real arithmetic)"});
}

}  // namespace assay_check
