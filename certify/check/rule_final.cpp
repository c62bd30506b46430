#include <algorithm>

#include "elementary.hpp"
#include "reject.hpp"
#include "target.hpp"

namespace assay_check {

// SPHERE
//   σ Q = const + s_r <h, r>, h centred
//   ------------------------------------
//   σ Q <= const + √d |h|
void rule_sphere(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  if (!step.words.empty()) {
    refuse(step, "expected no words");
  }
  const Unembedding u = unembedding(session, step, *fact.claim, fact.high);
  fact.bound = (u.constant + sphere_radius(u.h)).hi();
  session.facts().add(step, fact);
}

// PART-NUM: a bound of <σh, r> by LINEAR, FOLD or NORM-FOLD for the target of <σh, r>.
void rule_part_num(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  const Unembedding u = unembedding(session, step, *fact.claim, fact.high);
  const Target target = residual_target(session.attention().net(), u.h, Interval());
  const std::span words(step.words);
  const bool linear = !words.empty() && words[0] == "LINEAR";
  if (words.size() < 2 || (!linear && words[0] != "FOLD" && words[0] != "NORM-FOLD")) {
    refuse(step, "expected LINEAR …, FOLD nID … or NORM-FOLD nID …");
  }
  fact.bound = target_bound(session, step, words[0], fact.case_id, target, linear ? "" : words[1],
                            WordReader(step, words.subspan(linear ? 1 : 2)));
  session.facts().add(step, fact, true);
}

// FINAL-SPREAD
//   (P m)_i in box i      α_j contains act(z) for z in range j
//   (P r)_i in box i + Σ_j α_j (W_out[j, i] − mean_i W_out[j, ·]) + (P b_out)_i
//   ------------------------------------------------------------------------
//   1/sqrt(|P r|²/d + eps) in [s_lo, s_hi], with SPREAD-RANGE for the squares of this box
void rule_final_spread(Session& session, const Step& step) {
  const Attention& attention = session.attention();
  const Network& net = attention.net();
  Facts& facts = session.facts();
  if (step.premises.size() != 1 || step.words.size() < 2) {
    refuse(step, "expected FINAL-SPREAD cID : bID nID|- s_lo s_hi");
  }
  const std::string case_id(step.premises[0]);
  static_cast<void>(facts.find_case(step, case_id));
  const RangeFact& box = facts.box(step, step.words[0]);
  if (!facts.is_within(case_id, box.case_id) || (step.words[1] == "-") != net.attn_only()) {
    refuse(step, "the BOX is of another case, or `-` stands where the model has neurons");
  }
  std::vector<Interval> r = box.ranges;
  if (!net.attn_only()) {
    const std::vector<Interval>& neurons = facts.neurons(step, step.words[1], case_id).ranges;
    const std::size_t d = net.d_model;
    for (std::size_t j = 0; j < net.d_mlp; ++j) {
      const Interval alpha = attention.activation().residual(neurons[j], 0);
      r = r + alpha * centred(exact(&net.W_out[j * d], d));
    }
    r = r + centred(exact(net.b_out.data(), d));
  }
  const Interval sum = square_sum(r);
  WordReader words(step, std::span(step.words).subspan(2));
  facts.final_spreads.emplace(
      step.id, read_spread(session, step, case_id, std::max(sum.lo(), 0.0), sum.hi(), words));
}

// FINAL
//   <σh, r> <= U_num (PART-NUM)      s_r in [s_lo, s_hi] (FINAL-SPREAD), both of the case or of one it is a
//   part of
//   --------------------------------------------------------------------------------------------
//   σ Q <= const + min( U_num >= 0 ? U_num s_hi : U_num s_lo , √d |h| )
void rule_final(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  Facts& facts = session.facts();
  if (step.words.size() != 2) {
    refuse(step, "expected FINAL cID CLAIM SIDE : NUM SPR");
  }
  const auto num = facts.find(step.words[0], true);
  const auto spread = facts.final_spreads.find(std::string(step.words[1]));
  if (num == nullptr || spread == facts.final_spreads.end() || num->claim != fact.claim ||
      num->high != fact.high || !facts.is_within(fact.case_id, num->case_id) ||
      !facts.is_within(fact.case_id, spread->second.case_id)) {
    refuse(step, "expected a PART-NUM of this claim and side and a FINAL-SPREAD, of this case");
  }
  const Unembedding u = unembedding(session, step, *fact.claim, fact.high);
  const double s = num->bound >= 0 ? spread->second.hi : spread->second.lo;
  const double most = (Interval(num->bound) * Interval(s)).hi();
  fact.bound = (u.constant + Interval(std::min(most, sphere_radius(u.h).hi()))).hi();
  facts.add(step, fact);
}

}  // namespace assay_check
