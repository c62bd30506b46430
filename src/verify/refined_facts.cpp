#include "refined_facts.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "atoms.hpp"
#include "refined_box.hpp"

namespace assay::verify {
namespace {

bool covers(const bounds::Lemma& lemma, const ViewBox& box) {
  return lemma.proof != nullptr &&
         contains(box_of(lemma.box, box.back[0].vocabulary(), box.back.size()), box);
}

/// Of `atom`; 0 for a readout.
double feature_threshold(const CheckInput& input, const spec::Atom& atom) {
  const Sae& sae = *input.saes.at(atom.subject);
  return sae.threshold.data.empty() ? 0.0
                                    : static_cast<double>(sae.threshold.data[atom.feature->at()]);
}

}  // namespace

bool shows_out(const automata::Emission& emission, const OutFact& fact) {
  using Kind = automata::Emission::Kind;
  if (!emission.is_pairwise()) {
    return false;
  }
  std::set<std::uint32_t> rivals;
  for (const bounds::Lemma& lemma : fact.lemmas) {
    const bounds::Quantity& q = lemma.quantity;
    if (!covers(lemma, fact.box) || lemma.is_lower || q.index != fact.token) {
      return false;
    }
    const bool is_mixture = q.kind == bounds::QuantityKind::logit_mixture;
    if (!is_mixture && q.kind != bounds::QuantityKind::logit_difference) {
      return false;
    }
    if (emission.kind() == Kind::top_k) {
      if (is_mixture || !(lemma.hi < 0)) {
        return false;
      }
      rivals.insert(q.other);
    } else if (!(lemma.hi < emission.cut().lo)) {
      return false;
    }
  }
  switch (emission.kind()) {
    case Kind::greedy:
    case Kind::min_p:
      return fact.lemmas.size() == 1;
    case Kind::top_k:
      return rivals.size() >= emission.k();
    default:
      return false;
  }
}

bounds::Quantity quantity_of(const CheckInput& input, std::size_t atom) {
  const spec::Atom& a = input.spec->atoms[atom];
  bounds::Quantity out;
  if (a.kind == spec::Atom::Kind::feature) {
    out.kind = bounds::QuantityKind::feature;
    out.index = a.feature->value;
  } else {
    out.kind = bounds::QuantityKind::readout;
    out.readout = *input.readouts.at(a.subject);
  }
  return out;
}

double threshold_of(const CheckInput& input, std::size_t atom) {
  const spec::Atom& a = input.spec->atoms[atom];
  const double t = static_cast<double>(a.threshold.num) / static_cast<double>(a.threshold.den);
  return a.kind == spec::Atom::Kind::feature ? std::max(t, feature_threshold(input, a)) : t;
}

std::optional<bool> truth_below(const CheckInput& input, std::size_t atom, bool is_lower,
                                double hi) {
  const spec::Atom& a = input.spec->atoms[atom];
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a.kind != spec::Atom::Kind::feature) {
    return decide(a, is_lower ? Interval(-hi, kInf) : Interval(-kInf, hi));
  }
  const double threshold = feature_threshold(input, a);
  if (is_lower) {
    return -hi > threshold ? decide(a, Interval(-hi, kInf)) : std::nullopt;
  }
  if (hi <= threshold) {
    return decide(a, Interval(0.0));
  }
  return threshold >= 0 ? decide(a, Interval(0.0, hi)) : std::nullopt;
}

bool shows_atom(const CheckInput& input, const AtomFact& fact) {
  const bounds::Quantity wanted = quantity_of(input, fact.atom);
  const bounds::Quantity& q = fact.lemma.quantity;
  const bool same = q.kind == wanted.kind && q.index == wanted.index &&
                    q.readout.has_value() == wanted.readout.has_value() &&
                    (!q.readout || q.readout->digest == wanted.readout->digest);
  return same && covers(fact.lemma, fact.box) &&
         truth_below(input, fact.atom, fact.lemma.is_lower, fact.lemma.hi) == fact.truth;
}

}  // namespace assay::verify
