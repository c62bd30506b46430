#include <algorithm>
#include <set>

#include "reject.hpp"
#include "target.hpp"

namespace assay_check {

// Of a claim about l_A − max l, the claim of l_A − l_Y; of feature-on and feature-off, that of pre_I − pre_Y.
const RequestClaim& against(Session& session, const Step& step, const RequestClaim& claim,
                            std::size_t y) {
  const bool margin = claim.quantity.kind == Quantity::Kind::margin;
  if ((!margin && claim.kind == RequestClaim::Kind::bound) || y == claim.quantity.index) {
    refuse(step, "only a logit-margin, feature-on or feature-off has rivals, all but its own id");
  }
  const auto [entry, fresh] = session.facts().against.try_emplace({claim.id, y}, claim);
  if (fresh) {
    entry->second.quantity.kind = margin ? Quantity::Kind::logit : Quantity::Kind::feature;
    entry->second.quantity.minus = y;
  }
  return entry->second;
}

Interval margin_value(Session& session, const Step& step, std::size_t a, const Position& at) {
  const std::size_t tokens = session.attention().net().d_vocab_out;
  if (a >= tokens || tokens < 2) {
    refuse(step, "the model has no such token, or no other");
  }
  RequestClaim claim;
  claim.quantity = {Quantity::Kind::logit, a, {}, {}};
  Interval least(0x1p1000);
  for (std::size_t y = 0; y < tokens; ++y) {
    claim.quantity.minus = y;
    if (y != a) {
      const Interval lead = quantity_value(session, step, claim, at);
      least = {std::min(least.lo(), lead.lo()), std::min(least.hi(), lead.hi())};
    }
  }
  return least;
}

// RIVAL, Q = l_A − max_{y ≠ A} l_y
//   hi:  l_A − l_Y <= U on the case, for one Y            |-   Q <= U
//   lo:  l_y − l_A <= U_y on the case, for every y ≠ A    |-  −Q <= max U_y
void rule_rival(Session& session, const Step& step) {
  BoundFact fact = read_subject(session, step, 0);
  Facts& facts = session.facts();
  const Quantity& q = fact.claim->quantity;
  if (q.kind != Quantity::Kind::margin) {
    refuse(step, "the claim is not a logit-margin");
  }
  std::set<std::size_t> rivals;
  fact.bound = -0x1p1000;
  for (const std::string_view word : step.words) {
    const BoundFact* found = facts.find(word);
    if (found == nullptr || found->high != fact.high ||
        !facts.is_within(fact.case_id, found->case_id)) {
      refuse(step, std::string(word) + " is not a fact of this side that holds on the case");
    }
    const RequestClaim& other = *found->claim;
    if (other.id != fact.claim->id || !other.quantity.minus) {
      refuse(step, std::string(word) + " is not a fact about a rival of the claim");
    }
    rivals.insert(*other.quantity.minus);
    fact.bound = std::max(fact.bound, found->bound);
  }
  const std::size_t all = session.attention().net().d_vocab_out - 1;
  if (fact.high ? step.words.size() != 1 : all == 0 || rivals.size() != all) {
    refuse(step, fact.high ? "expected one rival's fact" : "expected a fact of every other token");
  }
  facts.add(step, fact);
}

}  // namespace assay_check
