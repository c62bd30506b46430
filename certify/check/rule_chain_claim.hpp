#pragma once

#include <optional>
#include <string>

#include "rule_chain_rows.hpp"
#include "session.hpp"

namespace assay_check {

/// A property Pmax or Pmin with its EVENT: r compare p, r the probability of the event; for φ itself, or for 1 − P(φ).
struct ChanceClaim {
  const SpecProperty* property = nullptr;
  const DfaFact* event = nullptr;
  SpecAtom::Compare compare = SpecAtom::Compare::at_most;
  Fraction p;
  std::optional<std::size_t> horizon;  ///< the property's or the statement's, the smaller

  [[nodiscard]] bool wants_upper() const {
    return compare == SpecAtom::Compare::at_most || compare == SpecAtom::Compare::below;
  }
  [[nodiscard]] bool holds(Units r) const;
  /// The end of a conclusion that bounds the event's probability by r, from above or from below.
  [[nodiscard]] std::string text(const Runs& runs, bool upper, Units r) const;
};

/// Of the property that the step's id names; Reject unless the only premise is an EVENT of it, and its sources are given.
[[nodiscard]] ChanceClaim chance_claim(Session& session, const Step& step);

}  // namespace assay_check
