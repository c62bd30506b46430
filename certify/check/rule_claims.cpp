#include <set>

#include "reject.hpp"
#include "target.hpp"

namespace assay_check {
namespace {

/// The claim's domain is that of the suffix step `id`.
void need_suffix(Session& session, const Step& step, const RequestClaim& claim,
                 const std::string& id) {
  if (session.facts().find_case(step, id).suffix != claim.suffix) {
    refuse(step, "the suffix is not the claim's");
  }
}

/// The premise, a NEURONS step, about exactly the claim's suffix.
const RangeFact& neurons_of(Session& session, const Step& step, const RequestClaim& claim) {
  const auto& ranges = session.facts().ranges;
  const auto found =
      step.premises.size() == 1 ? ranges.find(std::string(step.premises[0])) : ranges.end();
  if (found == ranges.end() || found->second.opener != "NEURONS") {
    refuse(step, "expected one premise, a NEURONS step");
  }
  need_suffix(session, step, claim, found->second.case_id);
  return found->second;
}

/// The SAE, which reads `hook` of this width and has the claim's feature.
const SaeEncoder& sae_on(Session& session, const Step& step, const RequestClaim& claim,
                         const std::string& hook, std::size_t width) {
  const SaeEncoder& sae = session.sae();
  if (sae.hook != hook || sae.d_in != width || claim.subject >= sae.d_sae) {
    refuse(step, "the SAE does not read " + hook + ", or has no such feature");
  }
  return sae;
}

void conclude_feature_off(Session& session, const Step& step, const RequestClaim& claim,
                          const Interval& bound) {
  if (!(bound.hi() <= static_cast<double>(session.sae().threshold[claim.subject]))) {
    refuse(step, "the bound is not shown to be at most the threshold");
  }
  session.conclusions.push_back({claim.id, "PROVED",
                                 "feature " + std::to_string(claim.subject) +
                                     " is off in every context of any length that ends in tokens " +
                                     tokens_text(claim.suffix) +
                                     session.source({Quantity::Kind::feature, {}, {}, {}}) +
                                     " (real arithmetic)"});
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

// FEATURE-OFF (the SAE reads blocks.0.hook_resid_mid), g = W_enc[:, i]
//   LINEAR with g0 = g, const0 = β_i gives bound <= threshold_i
//   ----------------------------------------------------------------------------------------
//   in every context of the domain the feature's pre-activation is <= its threshold
void rule_feature_off(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::feature_off);
  const Network& net = session.attention().net();
  if (step.premises.size() != 1) {
    refuse(step, "expected FEATURE-OFF sID : L_0 …");
  }
  const std::string suffix(step.premises[0]);
  need_suffix(session, step, claim, suffix);
  const SaeEncoder& sae = sae_on(session, step, claim, "blocks.0.hook_resid_mid", net.d_model);
  const Target t{sae.offset(claim.subject), sae.direction(claim.subject), {}};
  conclude_feature_off(session, step, claim,
                       target_bound(session, step, "LINEAR", suffix, t, "", step.words));
}

// FEATURE-OFF-MLP (the SAE reads blocks.0.mlp.hook_post)
//   MLP-FOLD with κ_j = W_enc[j, i], g0 = 0, const0 = β_i gives bound <= threshold_i
//   --------------------------------------------------------------------------------
//   in every context of the domain the feature's pre-activation is <= its threshold
void rule_feature_off_mlp(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::feature_off);
  const RangeFact& neurons = neurons_of(session, step, claim);
  const Network& net = session.attention().net();
  const SaeEncoder& sae = sae_on(session, step, claim, "blocks.0.mlp.hook_post", net.d_mlp);
  const Target t{sae.offset(claim.subject), std::vector<Interval>(net.d_model),
                 sae.direction(claim.subject)};
  conclude_feature_off(
      session, step, claim,
      target_bound(session, step, "MLP-FOLD", neurons.case_id, t, step.premises[0], step.words));
}

// TOKEN-OUT
//   Σ ω_i = 1, y_i distinct, none is u      MLP-FOLD of l_u − Σ ω_i l_{y_i} gives bound < ln ρ (· T)
//   ---------------------------------------------------------------------------------------------
//   l_u − max l < ln ρ (· T) in every context of the domain: min-p drops u
void rule_token_out(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::token_out);
  const RangeFact& neurons = neurons_of(session, step, claim);
  const Network& net = session.attention().net();
  if (claim.subject >= net.d_vocab_out) {
    refuse(step, "the model has no such token");
  }
  const Mixture mixture = read_mixture(step, claim.subject, net.d_vocab_out);
  const Interval bound = target_bound(
      session, step, "MLP-FOLD", neurons.case_id, logit_difference(net, claim.subject, mixture),
      step.premises[0], std::span(step.words).subspan(2 + 2 * mixture.tokens.size()));
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
