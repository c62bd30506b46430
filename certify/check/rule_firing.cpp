#include <algorithm>
#include <set>

#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

/// A fact of one side about the whole domain of a claim: about the feature itself, or pre_I − pre_Y.
struct Firing {
  double bound = 0;
  std::optional<std::size_t> other;
};

Firing fact_of(Session& session, const Step& step, const RequestClaim& claim, std::string_view word,
               bool high) {
  const Facts& facts = session.facts();
  const BoundFact* fact = facts.find(word);
  if (fact == nullptr || fact->claim->id != claim.id || fact->high != high ||
      facts.cases.at(fact->case_id).domain != claim.domain) {
    refuse(step, std::string(word) + " is not a fact of that side about the claim's whole domain");
  }
  return {fact->bound, fact->claim->quantity.minus};
}

/// Distinct features Y with pre_I − pre_Y < 0 (high) or > 0 everywhere.
std::size_t count_others(Session& session, const Step& step, const RequestClaim& claim,
                         std::size_t from, bool high) {
  std::set<std::size_t> others;
  for (std::size_t i = from; i < step.words.size(); ++i) {
    const Firing f = fact_of(session, step, claim, step.words[i], high);
    if (!f.other || !(f.bound < 0)) {
      refuse(step,
             std::string(step.words[i]) + " does not show a strict difference of two features");
    }
    others.insert(*f.other);
  }
  return others.size();
}

void conclude(Session& session, const RequestClaim& claim, const char* state) {
  const std::size_t k = session.sae().k;
  session.conclusions.push_back(
      {claim.id,
       "PROVED",
       {},
       session.shared((k > 0 ? " of a topk encoder, k = " + std::to_string(k) + ", ties either way,"
                             : std::string()) +
                      " is " + state + " in " + session.request().domains.at(claim.domain).words +
                      session.source(claim.quantity) + " (real arithmetic)")});
}

/// The claim, of a feature that the SAE has.
const RequestClaim& claim_of(Session& session, const Step& step, RequestClaim::Kind kind) {
  const RequestClaim& claim = session.claim(step, step.id, kind);
  if (!step.premises.empty() || step.words.empty()) {
    refuse(step, "expected no premises, and facts");
  }
  if (claim.quantity.index >= session.sae().d_sae) {
    refuse(step, "the SAE has no such feature");
  }
  return claim;
}

}  // namespace

// MUST-OFF, in every context of the domain (θ = 0 for topk and relu)
//   pre_I <= U <= θ_I        or, topk:  pre_I < pre_Y for k features Y
//   --------------------------------------------------------------------
//   feature I is off
void rule_must_off(Session& session, const Step& step) {
  const RequestClaim& claim = claim_of(session, step, RequestClaim::Kind::must_off);
  const SaeEncoder& sae = session.sae();
  const Firing first = fact_of(session, step, claim, step.words[0], true);
  if (!first.other) {
    const double threshold = static_cast<double>(sae.threshold[claim.quantity.index]);
    if (step.words.size() != 1 || !(first.bound <= threshold)) {
      refuse(step, "the pre-activation is not shown to be at most the threshold");
    }
  } else if (sae.k == 0 || count_others(session, step, claim, 0, true) < sae.k) {
    refuse(step, "fewer than k features are shown to be larger, or the encoder is not topk");
  }
  conclude(session, claim, "off");
}

// MUST-ON, in every context of the domain
//   pre_I >= −U > θ_I        topk:  pre_Y < pre_I for at least d_sae − k features Y
//   ------------------------------------------------------------------------------
//   feature I is on (topk: at most k − 1 others can be as large, whatever is done in a tie)
void rule_must_on(Session& session, const Step& step) {
  const RequestClaim& claim = claim_of(session, step, RequestClaim::Kind::must_on);
  const SaeEncoder& sae = session.sae();
  const Firing first = fact_of(session, step, claim, step.words[0], false);
  const double threshold = static_cast<double>(sae.threshold[claim.quantity.index]);
  if (first.other || !(-first.bound > threshold)) {
    refuse(step, "the pre-activation is not shown to be above the threshold");
  }
  const std::size_t others = count_others(session, step, claim, 1, false);
  if (sae.k == 0 ? step.words.size() != 1 : others < sae.d_sae - sae.k) {
    refuse(step, "too many features may be as large, or the encoder is not topk");
  }
  conclude(session, claim, "on");
}

}  // namespace assay_check
