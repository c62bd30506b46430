#include "rule_chain_claim.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {

using Compare = SpecAtom::Compare;

bool ChanceClaim::holds(Units r) const {
  switch (compare) {
    case Compare::at_most:
      return is_at_most(r, p);
    case Compare::below:
      return !is_at_least(r, p);
    case Compare::at_least:
      return is_at_least(r, p);
    case Compare::above:
      return !is_at_most(r, p);
  }
  return false;
}

std::string ChanceClaim::text(const Runs& runs, bool upper, Units r) const {
  return " (real arithmetic): " + runs.words + ": " + property->text +
         (horizon ? ", within " + std::to_string(*horizon) + " tokens" : "") + " (φ is " +
         (event->is_formula ? "certain after" : "not ruled out by") + " some prefix): P(φ) " +
         (upper == event->is_formula ? "at most " : "at least ") +
         std::to_string(event->is_formula ? r : kWhole - r) + "/" + std::to_string(kWhole);
}

ChanceClaim chance_claim(Session& session, const Step& step) {
  const auto found = step.premises.size() == 1
                         ? session.automata.find(std::string(step.premises[0]))
                         : session.automata.end();
  const std::size_t index = session.property(step.id, true);
  if (found == session.automata.end() || !found->second.is_event ||
      found->second.property != index) {
    refuse(step, "the premise is not an EVENT of this property");
  }
  session.need_sources(index);
  const SpecProperty& property = session.spec().properties[index];
  ChanceClaim out{&property, &found->second, property.chance->compare, property.chance->probability,
                  property.chance->horizon};
  if (!found->second.is_formula) {  // 1 − r <= p is r >= 1 − p, and so on
    out.p.num = out.p.den - out.p.num;
    out.compare = out.compare == Compare::at_most    ? Compare::at_least
                  : out.compare == Compare::below    ? Compare::above
                  : out.compare == Compare::at_least ? Compare::at_most
                                                     : Compare::below;
  }
  if (const auto& max_new = session.runs().max_new) {
    out.horizon = std::min(*max_new, out.horizon.value_or(*max_new));
  }
  return out;
}

}  // namespace assay_check
