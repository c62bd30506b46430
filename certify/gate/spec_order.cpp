#include "spec_order.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/spec/buchi.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"
#include "exact_number.hpp"

namespace assay::certify {
namespace {

using spec::Atom;
using spec::Comparison;
using spec::FormulaPtr;
using Claim = spec::Property::Claim;

/// What an atom means, apart from its name.
struct Meaning {
  std::vector<TokenId> tokens;  ///< of a token atom
  bool is_token = false;
  std::string number;  ///< what is compared: "feat SHA/7", "read SHA", "pos"
  Comparison comparison = Comparison::above;
  Rational threshold, band;
  bool operator==(const Meaning&) const = default;
};

std::string digest_of(const spec::Spec& s, const std::string& use) {
  const spec::Use* found = s.find_use(use);
  if (found == nullptr || !found->sha256) {
    throw UsageError("'" + use + "' has no digest");
  }
  return found->sha256->hex();
}

/// Throws UsageError for an atom whose meaning lies outside the run's letters.
Meaning meaning_of(const spec::Spec& s, const Atom& atom) {
  Meaning m;
  switch (atom.kind) {
    case Atom::Kind::token_in: {
      const spec::TokenClass* tokens = s.find_class(atom.subject);
      if (tokens == nullptr) {
        throw UsageError("no class " + atom.subject);
      }
      m.is_token = true;
      m.tokens = tokens->ids;
      std::sort(m.tokens.begin(), m.tokens.end());
      return m;
    }
    case Atom::Kind::token_is:
      if (!atom.token) {
        throw UsageError("a token without id");
      }
      m.is_token = true;
      m.tokens = {*atom.token};
      return m;
    case Atom::Kind::feature:
      if (!atom.feature) {
        throw UsageError("a feature without number");
      }
      m.number = "feat " + digest_of(s, atom.subject) + "/" + std::to_string(atom.feature->at());
      break;
    case Atom::Kind::readout:
      m.number = "read " + digest_of(s, atom.subject);
      break;
    case Atom::Kind::position:
      m.number = "pos";
      break;
    default:
      throw UsageError("atom " + atom.name + " is of a kind that is not compared");
  }
  m.comparison = atom.comparison;
  m.threshold = atom.threshold;
  m.band = atom.band;
  return m;
}

/// Atoms of two properties under common numbers.
class Atoms {
 public:
  /// The formula over the common numbers.
  FormulaPtr renamed(const spec::Spec& s, const FormulaPtr& formula) {
    if (formula->op == spec::Op::atom) {
      const Meaning m = meaning_of(s, s.atoms.at(formula->atom));
      auto at = std::find(meanings_.begin(), meanings_.end(), m);
      if (at == meanings_.end()) {
        meanings_.push_back(m);
        at = meanings_.end() - 1;
      }
      return spec::atom(static_cast<std::size_t>(at - meanings_.begin()));
    }
    spec::Formula copy = *formula;
    for (FormulaPtr& child : copy.children) {
      child = renamed(s, child);
    }
    return std::make_shared<const spec::Formula>(std::move(copy));
  }

  /// G of what always holds of the atoms of one letter.
  [[nodiscard]] FormulaPtr known() const {
    std::vector<FormulaPtr> facts = {spec::constant(true)};
    for (std::size_t a = 0; a < meanings_.size(); ++a) {
      for (std::size_t b = 0; b < meanings_.size(); ++b) {
        add_fact(a, b, facts);
      }
    }
    return spec::bounded(spec::Op::globally, spec::junction(spec::Op::and_, facts));
  }

  [[nodiscard]] std::vector<std::size_t> numbers() const {
    std::vector<std::size_t> out(meanings_.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = i;
    }
    return out;
  }

 private:
  void add_fact(std::size_t a, std::size_t b, std::vector<FormulaPtr>& facts) const {
    const Meaning& left = meanings_[a];
    const Meaning& right = meanings_[b];
    if (a == b) {
      return;
    }
    if (left.is_token && right.is_token) {
      if (std::includes(right.tokens.begin(), right.tokens.end(), left.tokens.begin(),
                        left.tokens.end())) {
        facts.push_back(spec::implication(spec::atom(a), spec::atom(b)));
      }
      std::vector<TokenId> common;
      std::set_intersection(left.tokens.begin(), left.tokens.end(), right.tokens.begin(),
                            right.tokens.end(), std::back_inserter(common));
      if (a < b && common.empty()) {
        facts.push_back(
            spec::negation(spec::junction(spec::Op::and_, {spec::atom(a), spec::atom(b)})));
      }
    } else if (implied(left, right)) {
      facts.push_back(spec::implication(spec::atom(a), spec::atom(b)));
    }
  }

  /// x > 2 implies x > 1: of one number, both from the same side, without a band.
  static bool implied(const Meaning& left, const Meaning& right) {
    if (left.is_token || right.is_token || left.number != right.number || left.band.num != 0 ||
        right.band.num != 0) {
      return false;
    }
    const bool up = left.comparison == Comparison::at_least || left.comparison == Comparison::above;
    const bool right_up =
        right.comparison == Comparison::at_least || right.comparison == Comparison::above;
    const ExactNumber l(left.threshold.num, left.threshold.den);
    const ExactNumber r(right.threshold.num, right.threshold.den);
    if (up != right_up) {
      return false;
    }
    const bool right_strict =
        right.comparison == Comparison::above || right.comparison == Comparison::below;
    const bool left_strict =
        left.comparison == Comparison::above || left.comparison == Comparison::below;
    return up ? l > r || (l == r && (left_strict || !right_strict))
              : l < r || (l == r && (left_strict || !right_strict));
  }

  std::vector<Meaning> meanings_;
};

/// No run satisfies both, under what is known. Throws UsageError above the automata's limits.
bool excludes(const FormulaPtr& a, const FormulaPtr& b, const Atoms& atoms) {
  const FormulaPtr known = atoms.known();
  const std::vector<std::size_t> numbers = atoms.numbers();
  std::vector<spec::Acceptor> acceptors;
  for (const FormulaPtr& f : {a, b, known}) {
    acceptors.push_back(spec::ltlf_acceptor(f, numbers));
  }
  if (spec::common_run(acceptors)) {
    return false;
  }
  return spec::buchi(spec::junction(spec::Op::and_, {a, b, known})).is_empty();
}

bool implies(const FormulaPtr& a, const FormulaPtr& b, const Atoms& atoms) {
  return excludes(a, spec::negation(b), atoms);
}

struct Said {
  bool yes = false;
  std::string reason;
};

/// a => b, and why not.
Said shown(const FormulaPtr& a, const FormulaPtr& b, const Atoms& atoms) {
  try {
    const bool yes = implies(a, b, atoms);
    return {yes, yes ? "" : "there is a run that the one allows and the other forbids"};
  } catch (const Error& e) {
    return {false, e.what()};
  }
}

bool is_upper(const spec::Property& p) {
  return p.comparison == Comparison::at_most || p.comparison == Comparison::below;
}

/// Limit of `stronger` is no looser than that of `weaker`.
bool tighter(const spec::Property& stronger, const spec::Property& weaker) {
  const ExactNumber s(stronger.probability.num, stronger.probability.den);
  const ExactNumber w(weaker.probability.num, weaker.probability.den);
  const bool strict =
      stronger.comparison == Comparison::below || stronger.comparison == Comparison::above;
  const bool needs_strict =
      weaker.comparison == Comparison::below || weaker.comparison == Comparison::above;
  const bool less = is_upper(stronger) ? s < w : s > w;
  return less || (s == w && (strict || !needs_strict));
}

}  // namespace

PropertyOrder compare(const spec::Spec& old_spec, const spec::Property& old_property,
                      const spec::Spec& now_spec, const spec::Property& now_property) {
  PropertyOrder order;
  if (old_property.claim != now_property.claim) {
    order.reason = "one is a claim of another form";
    return order;
  }
  Atoms atoms;
  FormulaPtr a;
  FormulaPtr b;
  try {
    a = atoms.renamed(old_spec, old_property.formula);
    b = atoms.renamed(now_spec, now_property.formula);
  } catch (const Error& e) {
    order.reason = e.what();
    return order;
  }
  const Said forth = shown(b, a, atoms);
  const Said back = shown(a, b, atoms);
  const bool chance = now_property.claim == Claim::pmax || now_property.claim == Claim::pmin;
  if (!chance) {
    return {forth.yes, back.yes, forth.reason};
  }
  if (is_upper(old_property) != is_upper(now_property)) {
    order.reason = "one bounds from above, the other from below";
    return order;
  }
  // P(φ) <= p says more of a larger event, P(φ) >= p of a smaller one.
  const Said& event = is_upper(now_property) ? back : forth;
  const Said& reverse = is_upper(now_property) ? forth : back;
  order.now_implies_old = event.yes && tighter(now_property, old_property);
  order.old_implies_now = reverse.yes && tighter(old_property, now_property);
  order.reason = order.now_implies_old ? "" : event.yes ? "the limit is looser" : event.reason;
  return order;
}

bool says_nothing(const spec::Spec& s, const spec::Property& property) {
  const bool chance = property.claim == Claim::pmax || property.claim == Claim::pmin;
  if (chance) {
    const ExactNumber p(property.probability.num, property.probability.den);
    return is_upper(property) ? p > 1 || (p == 1 && property.comparison == Comparison::at_most)
                              : p < 0 || (p == 0 && property.comparison == Comparison::at_least);
  }
  try {
    Atoms atoms;
    const FormulaPtr formula = atoms.renamed(s, property.formula);
    return implies(spec::constant(true), formula, atoms);
  } catch (const Error&) {
    return false;  // over the automata's limits: it has content enough to be large
  }
}

}  // namespace assay::certify
