#pragma once

#include <optional>
#include <string>

#include "assay/spec/spec.hpp"
#include "assay/verify/exact_chance.hpp"

namespace assay::verify {

[[nodiscard]] inline bool is_chance(const spec::Property& property) {
  return property.claim == spec::Property::Claim::pmax ||
         property.claim == spec::Property::Claim::pmin;
}

/// Whether φ is the event itself, or its bad prefix is: P(φ) = P(event), or 1 − P(event).
struct ChanceEvent {
  bool is_formula = false;
  spec::FormulaPtr monitor;  ///< a safety formula; the event is its bad prefix

  /// What is bounded, in words.
  [[nodiscard]] std::string text(const std::optional<std::size_t>& horizon) const;
};
/// Nothing when no prefix decides φ, either way.
[[nodiscard]] std::optional<ChanceEvent> event_of(const spec::FormulaPtr& formula);

/// The claim as r cmp value, r the probability of the event.
struct ChanceThreshold {
  spec::Comparison comparison = spec::Comparison::at_most;
  Rational value;

  [[nodiscard]] bool wants_upper() const;
  [[nodiscard]] bool holds_of(automata::Grid r) const;
};
[[nodiscard]] ChanceThreshold threshold_of(const spec::Property& property,
                                           const ChanceEvent& event);

/// Why the claim is not decided; empty when nothing stands in the way.
[[nodiscard]] std::string chance_obstacle(const spec::Spec& spec, const spec::Property& property);
/// The property's horizon or max_new, the smaller; none: runs of any length.
[[nodiscard]] std::optional<std::size_t> horizon_of(const spec::Property& property,
                                                    const std::optional<std::size_t>& max_new);

}  // namespace assay::verify
