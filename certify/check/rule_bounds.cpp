#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

/// The model class of kind bounds: network.cpp refused the rest already.
const Network& need_window(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (net.window == 0) {
    refuse(step, "config.json: attention_window must be above 0");
  }
  return net;
}

}  // namespace

// SUFFIX: names a domain, every context of any length n >= k that ends in T1 … Tk; 1 <= k <= w.
void rule_suffix(Session& session, const Step& step) {
  const Network& net = need_window(session, step);
  if (!step.premises.empty() || step.words.size() > net.window) {
    refuse(step, "expected SUFFIX : T1 … Tk with k within the attention window");
  }
  Suffix suffix;
  for (const std::string_view word : step.words) {
    suffix.push_back(parse_nat_below(word, net.d_vocab, "a token"));
  }
  session.suffixes.emplace(step.id, std::move(suffix));
}

void rule_neurons(Session& session, const Step& step) {
  const Network& net = need_window(session, step);
  if (step.premises.size() != 1 || step.words.size() != 1 ||
      parse_nat(step.words[0]) != net.d_mlp) {
    refuse(step, "expected NEURONS sID : d_mlp");
  }
  const std::string suffix(step.premises[0]);
  if (!session.suffixes.contains(suffix)) {
    refuse(step, "no earlier SUFFIX " + suffix);
  }
  session.neurons.emplace(step.id, NeuronFact{suffix, {}});
}

// NEURON-RANGE
//   for each head h: U_h is ATTN-MAX for g = W_in[:, j], D_h is ATTN-MAX for −g
//   ---------------------------------------------------------------------------
//   z_j in [base_j − Σ_h D_h, base_j + Σ_h U_h],  base_j = <g, x_c + b_O> + b_in[j]
void rule_neuron_range(Session& session, const Step& step) {
  const Network& net = need_window(session, step);
  const std::size_t H = net.n_heads;
  if (step.premises.size() != 2 || step.words.size() != 2 * H) {
    refuse(step, "expected NEURON-RANGE nID j : U_0 … D_0 …");
  }
  const auto fact = session.neurons.find(std::string(step.premises[0]));
  if (fact == session.neurons.end()) {
    refuse(step, "no open NEURONS of this id");
  }
  std::vector<Interval>& ranges = fact->second.ranges;
  const std::size_t j = parse_nat_below(step.premises[1], net.d_mlp, "a neuron");
  if (j != ranges.size()) {
    refuse(step, "neuron " + std::to_string(ranges.size()) + " comes next");
  }
  const Suffix& suffix = session.suffixes.at(fact->second.suffix_id);
  const std::vector<Interval>& nu = session.neuron_projection(j);
  std::vector<Interval> negative;
  negative.reserve(nu.size());
  for (const Interval& x : nu) {
    negative.push_back(-x);
  }
  const Interval base = dot(net.neuron_direction(j), session.attention().residual(suffix.back())) +
                        Interval(net.b_in[j]);
  const std::span words(step.words);
  const Interval up = session.attention().sum_of_maxima(nu, suffix, words, step.rule);
  const Interval down =
      session.attention().sum_of_maxima(negative, suffix, words.subspan(H), step.rule);
  ranges.emplace_back((base - down).lo(), (base + up).hi());
}

// FEATURE-OFF (the SAE reads blocks.0.hook_resid_mid), g = W_enc[:, i]
//   for each head h: L_h is ATTN-MAX for g      <g, x_c + b_O> + β_i + Σ_h L_h <= threshold_i
//   ----------------------------------------------------------------------------------------
//   in every context of the domain the feature's pre-activation is <= its threshold
void rule_feature_off(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, RequestClaim::Kind::feature_off);
  const Network& net = need_window(session, step);
  const SaeEncoder& sae = session.sae();
  if (step.premises.size() != 1 || step.words.size() != net.n_heads) {
    refuse(step, "expected FEATURE-OFF sID : L_0 …");
  }
  const auto suffix = session.suffixes.find(std::string(step.premises[0]));
  if (suffix == session.suffixes.end() || suffix->second != claim.suffix) {
    refuse(step, "the suffix is not the claim's");
  }
  if (sae.hook != "blocks.0.hook_resid_mid" || sae.d_in != net.d_model ||
      claim.subject >= sae.d_sae) {
    refuse(step, "the SAE does not read blocks.0.hook_resid_mid, or has no such feature");
  }
  const std::vector<Interval> g = sae.direction(claim.subject);
  const std::vector<Interval> nu = session.attention().project(g);
  const Interval bound = dot(g, session.attention().residual(claim.suffix.back())) +
                         sae.offset(claim.subject) +
                         session.attention().sum_of_maxima(nu, claim.suffix, step.words, step.rule);
  if (!(bound.hi() <= static_cast<double>(sae.threshold[claim.subject]))) {
    refuse(step, "the bound is not shown to be at most the threshold");
  }
  conclude_feature_off(session, claim);
}

void conclude_feature_off(Session& session, const RequestClaim& claim) {
  session.conclusions.push_back({claim.id, "PROVED",
                                 "feature " + std::to_string(claim.subject) +
                                     " is off in every context of any length that ends in tokens " +
                                     tokens_text(claim.suffix) + " (real arithmetic)"});
}

}  // namespace assay_check
