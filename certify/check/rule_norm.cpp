#include <algorithm>

#include "elementary.hpp"
#include "reject.hpp"
#include "target.hpp"

namespace assay_check {

// BOX opens the d_model coordinates of P m of a ready case.
void rule_box(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  const std::string id(step.premises.empty() ? "" : step.premises[0]);
  const ContextCase& contexts = session.facts().find_case(step, id);
  if (!contexts.suffix.empty() || !contexts.is_ready(net)) {
    refuse(step, "expected a ready case, not a SUFFIX");
  }
  open_block(session, step, "BOX-RANGE", id, "", net.d_model);
}

// NORM-NEURONS opens the d_mlp ranges under LN2 of the case of a SPREAD.
void rule_norm_neurons(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  const auto& spreads = session.facts().spreads;
  const std::string id(step.premises.empty() ? "" : step.premises[0]);
  const auto spread = spreads.find(id);
  if (spread == spreads.end() || !net.normalised) {
    refuse(step, "expected a SPREAD, and a model with LN2");
  }
  open_block(session, step, "NORM-RANGE", spread->second.case_id, id, net.d_mlp);
}

// SPREAD-RANGE: s_lo <= 1/sqrt(S_hi/d + eps), 1/sqrt(S_lo/d + eps) <= s_hi, 0 < s_lo <= s_hi
SpreadFact read_spread(Session& session, const Step& step, const std::string& case_id, double S_lo,
                       double S_hi, WordReader& words) {
  const Network& net = session.attention().net();
  const Interval d(static_cast<double>(net.d_model));
  SpreadFact spread{case_id, words.number(), words.number()};
  words.end();
  if (!net.normalised || !(spread.lo > 0 && spread.lo <= spread.hi) ||
      !(spread.lo <= reciprocal_root(Interval(S_hi) / d + net.eps).lo()) ||
      !(reciprocal_root(Interval(S_lo) / d + net.eps).hi() <= spread.hi)) {
    refuse(step, "s_lo, s_hi do not enclose the scale, or the model has no LayerNorm");
  }
  return spread;
}

// SPREAD
//   (P m)_i in [lo_i, hi_i]      HEADS bounds Σ_h <−P u, head h's output> by U      ℓ = −(base(−P u) + U)
//   S_hi = Σ max(lo_i², hi_i²)   S_lo = max(Σ min y² over [lo_i, hi_i], ℓ > 0 ? ℓ²/|P u|² : 0)
//   ------------------------------------------------------------------------------------
//   1/sqrt(|P m|²/d + eps) in [s_lo, s_hi], with SPREAD-RANGE
void rule_spread(Session& session, const Step& step) {
  if (step.premises.size() != 1) {
    refuse(step, "expected SPREAD bID : u_0 … L_0 … s_lo s_hi");
  }
  const RangeFact& box = session.facts().box(step, step.premises[0]);
  WordReader words(step, step.words);
  std::vector<Interval> u;
  for (const double x : words.numbers(session.attention().net().d_model)) {
    u.emplace_back(-x);
  }
  const std::vector<Interval> minus = centred(u);  // −P u
  const auto ready = session.facts().ready(step, box.case_id);
  const double least = -along(session, step, *ready, minus, words).hi();
  const Interval sum = square_sum(box.ranges), length = square_sum(minus);
  double S_lo = std::max(sum.lo(), 0.0);
  if (least > 0 && length.hi() > 0) {
    S_lo = std::max(S_lo, (square(Interval(least)) / Interval(length.hi())).lo());
  }
  session.facts().spreads.emplace(step.id,
                                  read_spread(session, step, box.case_id, S_lo, sum.hi(), words));
}

// NORM-LINEAR: the end of range J of NORM-NEURONS is a bound of neuron J under LN2.
void rule_norm_linear(Session& session, const Step& step) {
  Facts& facts = session.facts();
  const auto found = facts.ranges.find(step.premises.empty() ? "" : std::string(step.premises[0]));
  if (found == facts.ranges.end() || found->second.opener != "NORM-NEURONS" ||
      !step.words.empty()) {
    refuse(step, "expected NORM-LINEAR nID CLAIM hi|lo : and nothing more");
  }
  BoundFact fact = read_subject(session, step, found->second.case_id, 1);
  const Quantity& q = fact.claim->quantity;
  if (q.kind != Quantity::Kind::neuron || q.index >= found->second.ranges.size()) {
    refuse(step, "the claim is not about a neuron of the model");
  }
  const Interval range = found->second.ranges[q.index];
  fact.bound = fact.high ? range.hi() : -range.lo();
  facts.add(step, fact);
}

}  // namespace assay_check
