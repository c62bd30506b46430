#include "chance_event.hpp"

#include <algorithm>

#include "assay/spec/formula.hpp"
#include "assay/verify/given_chain.hpp"

namespace assay::verify {
namespace {

using automata::Grid;
using spec::Comparison;

bool bounds_above(Comparison c) {
  return c == Comparison::at_most || c == Comparison::below;
}

}  // namespace

std::string ChanceEvent::text(const std::optional<std::size_t>& horizon) const {
  const std::string within = horizon ? " of at most " + std::to_string(*horizon) + " tokens" : "";
  return is_formula ? "the probability that some prefix" + within + " makes φ certain"
                    : "the probability that no prefix" + within + " rules φ out";
}

std::optional<ChanceEvent> event_of(const spec::FormulaPtr& formula) {
  const spec::FormulaPtr opposite = spec::negation(formula);
  if (spec::is_safety(opposite)) {
    return ChanceEvent{true, opposite};
  }
  return spec::is_safety(formula) ? std::optional(ChanceEvent{false, formula}) : std::nullopt;
}

bool ChanceThreshold::wants_upper() const {
  return bounds_above(comparison);
}

bool ChanceThreshold::holds_of(Grid r) const {
  switch (comparison) {
    case Comparison::at_most:
      return is_at_most(r, value);
    case Comparison::below:
      return !is_at_least(r, value);
    case Comparison::at_least:
      return is_at_least(r, value);
    case Comparison::above:
      return !is_at_most(r, value);
  }
  return false;
}

ChanceThreshold threshold_of(const spec::Property& property, const ChanceEvent& event) {
  ChanceThreshold out{property.comparison, property.probability};
  if (!event.is_formula) {  // 1 − r <= p is r >= 1 − p
    switch (property.comparison) {
      case Comparison::at_most:
        out.comparison = Comparison::at_least;
        break;
      case Comparison::below:
        out.comparison = Comparison::above;
        break;
      case Comparison::at_least:
        out.comparison = Comparison::at_most;
        break;
      case Comparison::above:
        out.comparison = Comparison::below;
        break;
    }
    out.value.num = out.value.den - out.value.num;
  }
  return out;
}

std::string chance_obstacle(const spec::Spec& spec, const spec::Property& property) {
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    if (spec.atoms[a].kind == spec::Atom::Kind::role) {
      return "ap " + spec.atoms[a].name + " is about roles, which generated tokens do not have";
    }
    if (spec.atoms[a].kind == spec::Atom::Kind::level) {
      return "ap " + spec.atoms[a].name + " compares a level, and a chain has no levels";
    }
  }
  if (property.from || property.assume) {
    return "a bound on a probability with 'from' or 'assume' is not decided";
  }
  const bool is_max = property.claim == spec::Property::Claim::pmax;
  if (is_max != bounds_above(property.comparison)) {
    return "expected Pmax with <= or <, or Pmin with >= or >: the other two ask for one prompt and "
           "one choice of nature";
  }
  if (is_max ? property.probability.num >= property.probability.den
             : property.probability.num <= 0) {
    return "every probability is within this bound: holding would say nothing";
  }
  return "";
}

std::optional<std::size_t> horizon_of(const spec::Property& property,
                                      const std::optional<std::size_t>& max_new) {
  const auto horizon = property.attributes.find("horizon");
  if (horizon == property.attributes.end()) {
    return max_new;
  }
  const std::size_t n = std::stoul(horizon->second);
  return std::min(n, max_new.value_or(n));
}

}  // namespace assay::verify
