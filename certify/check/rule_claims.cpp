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

/// l_u − Σ ω_i l_{y_i}, of the words M r y_1 ω_1 …
RequestClaim mixture_of(const Step& step, std::size_t token) {
  if (step.words.size() < 2 || step.words[0] != "M" ||
      (step.words.size() - 2) / 2 < parse_nat(step.words[1])) {
    refuse(step, "expected M r y_1 w_1 …");
  }
  const std::string u = std::to_string(token);
  std::vector<std::string_view> words{"logit-mixture", u};
  const auto first = step.words.begin() + 1;
  words.insert(words.end(), first, first + 1 + 2 * static_cast<std::ptrdiff_t>(parse_nat(*first)));
  RequestClaim claim;
  claim.quantity = parse_mixture(words);
  return claim;
}

}  // namespace

// SUFFIX: every context of any length n >= k that ends in T1 … Tk; 1 <= k <= w. Contexts longer than w
// have the value of their last w tokens.
void rule_suffix(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  if (net.window == 0 || !net.is_plain()) {
    refuse(step,
           "config.json: expected relu, no LayerNorm, relative_bias and attention_window > 0");
  }
  const std::size_t k = step.words.size();
  if (!step.premises.empty() || k == 0 || k > net.window) {
    refuse(step, "expected SUFFIX : T1 … Tk with k within the attention window");
  }
  ContextCase contexts;
  contexts.a = k;
  contexts.b = net.window;
  contexts.rest = session.facts().every_token();
  for (const std::string_view word : step.words) {
    const std::size_t t = parse_nat_below(word, net.d_vocab, "a token");
    contexts.suffix.push_back(t);
    contexts.last.insert(contexts.last.begin(),
                         std::make_shared<const TokenSet>(TokenSet{static_cast<std::uint32_t>(t)}));
  }
  session.facts().cases.emplace(step.id, std::move(contexts));
}

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
  session.conclusions.push_back(
      {claim.id,
       "PROVED",
       {},
       session.shared(" is off in every context of any length that ends in tokens " +
                      tokens_text(claim.suffix) + session.source(claim.quantity) +
                      " (real arithmetic)")});
}

// TOKEN-OUT
//   Σ ω_i = 1, y_i distinct, none is u      MLP-FOLD of l_u − Σ ω_i l_{y_i} gives bound < ln ρ (· T)
//   ---------------------------------------------------------------------------------------------
//   l_u − max l < ln ρ (· T) in every context of the domain: min-p drops u
void rule_token_out(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::token_out);
  const std::string suffix = suffix_of(session, step, claim, true);
  const RequestClaim mixture = mixture_of(step, claim.subject);
  const std::size_t read = 2 + 2 * mixture.quantity.mixture.size();
  const double bound =
      target_bound(session, step, "MLP-FOLD", suffix, claim_target(session, step, mixture, true),
                   step.premises[0], WordReader(step, std::span(step.words).subspan(read)));
  const MinP& decoder = session.request_decoder();
  if (!(bound < decoder.cut().lo())) {
    refuse(step, "the bound is not shown to be below the decoder's cut");
  }
  session.conclusions.push_back(
      {step.id,
       "PROVED",
       {},
       session.shared(" is never emitted after any context of any length that ends in tokens " +
                      tokens_text(claim.suffix) + ", decoder " + decoder.text() +
                      " (real arithmetic)")});
}

}  // namespace assay_check
