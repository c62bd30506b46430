#include <algorithm>

#include "elementary.hpp"
#include "fold.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {

void open_block(Session& session, const Step& step, const char* line, const std::string& case_id,
                const std::string& spread, std::size_t count) {
  if (step.premises.size() != 1 || step.words.size() != 1 || count == 0 ||
      parse_nat(step.words[0]) != count) {
    refuse(step, "expected one premise and the number of lines, d_mlp or d_model");
  }
  session.facts().ranges.emplace(
      step.id, RangeFact{std::string(step.rule), line, case_id, spread, count, {}});
  session.facts().open = step.id;
}

namespace {

/// The enclosure of <g, m> that a line's U and D show; the number of the line in `index`.
Interval read_range(Session& session, const Step& step, RangeFact& fact, std::size_t& index) {
  Facts& facts = session.facts();
  if (step.premises.size() != 2 || step.words.empty()) {
    refuse(step, "expected ID i : U_0 … D_0 …");
  }
  index = parse_nat_below(step.premises[1], fact.expected, "an index");
  if (index != fact.ranges.size()) {
    refuse(step, "number " + std::to_string(fact.ranges.size()) + " comes next");
  }
  const bool box = fact.opener == "BOX";
  const auto ready = facts.ready(step, fact.case_id);
  const auto nu = box ? facts.coordinate_projection(index) : facts.neuron_projection(index);
  const Interval base =
      ready->base(box ? facts.coordinate_direction(index) : facts.neuron_direction(index));
  WordReader words(step, step.words);
  const double up = head_numbers(step, *ready, *nu, 1, words);
  const double down = head_numbers(step, *ready, *nu, -1, words);
  words.end();
  return {(base - down).lo(), (base + up).hi()};
}

}  // namespace

// NEURONS, CASE-NEURONS open the d_mlp ranges of a suffix, of a ready case. No LN2.
void rule_neurons(Session& session, const Step& step) {
  const Network& net = session.attention().net();
  const std::string id(step.premises.empty() ? "" : step.premises[0]);
  const ContextCase& contexts = session.facts().find_case(step, id);
  if (net.normalised || contexts.suffix.empty() == (step.rule == "NEURONS") ||
      !contexts.is_ready(net)) {
    refuse(step, "expected a SUFFIX (NEURONS) or a ready case (CASE-NEURONS), and no LN2");
  }
  open_block(session, step, step.rule == "NEURONS" ? "NEURON-RANGE" : "CASE-RANGE", id, "",
             net.d_mlp);
}

// NEURON-RANGE, CASE-RANGE, g = W_in[:, j]; BOX-RANGE, g = e_i − (1/d) 1
//   HEADS bounds Σ_h <g, head h's output> by U, Σ_h <−g, head h's output> by D
//   ---------------------------------------------------------------------------------
//   <g, m> in [base(g) − D, base(g) + U];  z_j = <g, m> + b_in[j]
// NORM-RANGE, g = h_j: z_j in c_j + ([min s y, max s y] ∩ [−√d |h_j|, √d |h_j|]), y = <g, m>, s in the SPREAD
void rule_range(Session& session, const Step& step) {
  Facts& facts = session.facts();
  RangeFact& fact = facts.ranges.at(facts.open);
  std::size_t index = 0;
  Interval range = read_range(session, step, fact, index);
  if (fact.opener == "NORM-NEURONS") {
    const SpreadFact& s = facts.spreads.at(fact.spread);
    const Interval sphere = sphere_radius(facts.neuron_direction(index));
    const Interval scaled = Interval(s.lo, s.hi) * range;
    range = Interval(std::max(scaled.lo(), -sphere.hi()), std::min(scaled.hi(), sphere.hi()));
  }
  if (fact.opener != "BOX") {
    range = range + facts.neuron_offset(index);
  }
  fact.ranges.push_back(range);
  if (fact.ranges.size() == fact.expected) {
    facts.open.clear();
  }
}

}  // namespace assay_check
