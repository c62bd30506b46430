#include "assay/spec/explain.hpp"

#include <algorithm>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/cover.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/vacuity.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxLetters = 12;

/// Replaces an ap, where it occurs in one polarity, by the constant that asks most; where the
/// language stays the same, it asks nothing.
std::vector<std::string> vacuities(const Spec& spec, const FormulaPtr& formula,
                                   const Acceptor& acceptor) {
  std::vector<std::string> out;
  for (const Strengthening& s : strengthenings(formula)) {
    try {
      if (is_equivalent(acceptor, ltlf_acceptor(s.formula, acceptor.graph.atoms))) {
        out.push_back("it says the same with " + spec.atoms[s.atom].name +
                      (s.positive ? " false where it helps" : " true where it hurts"));
      }
    } catch (const UsageError& e) {
      out.push_back("not decided for " + spec.atoms[s.atom].name + ": " + e.what());
    }
  }
  return out;
}

bool share_an_atom(const Property& a, const Property& b) {
  const std::vector<std::size_t> first = atoms_of(a.formula);
  const std::vector<std::size_t> second = atoms_of(b.formula);
  return std::find_first_of(first.begin(), first.end(), second.begin(), second.end()) !=
         first.end();
}

/// "" when some run satisfies all; "none" when none does; else why that is not decided.
std::string clash(const std::vector<const Property*>& claims) {
  std::set<std::size_t> atoms;
  for (const Property* p : claims) {
    const std::vector<std::size_t> own = atoms_of(p->formula);
    atoms.insert(own.begin(), own.end());
  }
  if (atoms.size() > kMaxLetters) {
    return "they use " + std::to_string(atoms.size()) + " aps together, at most " +
           std::to_string(kMaxLetters) + " are looked at";
  }
  try {
    std::vector<Acceptor> acceptors;
    acceptors.reserve(claims.size());
    for (const Property* p : claims) {
      acceptors.push_back(ltlf_acceptor(p->formula, {atoms.begin(), atoms.end()}));
    }
    return common_run(acceptors) ? "" : "none";
  } catch (const UsageError& e) {
    return e.what();
  }
}

void report(const std::string& clash, const std::string& names, std::vector<std::string>& out) {
  if (clash == "none") {
    out.push_back("INCONSISTENT: no run satisfies " + names + " together");
  } else if (!clash.empty()) {
    out.push_back("not decided whether some run satisfies " + names + " together: " + clash);
  }
}

}  // namespace

Explanation explain(const Spec& spec, const Property& property) {
  Explanation out;
  out.sentence = sentence(spec, property);
  out.acceptor = ltlf_acceptor(property.formula);
  for (const std::size_t a : out.acceptor.graph.atoms) {
    out.aps.push_back(spec.atoms[a].name);
  }
  out.safety = is_safety(property.formula);
  out.monitor_states = bad_prefix_dfa(property.formula).states;
  out.hopeless = hopeless_run(out.acceptor);
  out.monitorable = !out.hopeless;
  out.accepted = shortest_run(out.acceptor, true);
  out.rejected = shortest_run(out.acceptor, false);
  if (!out.is_valid() && !out.is_unsatisfiable()) {
    out.vacuous = vacuities(spec, property.formula, out.acceptor);
  }
  return out;
}

std::vector<std::string> inconsistencies(const std::vector<const Property*>& properties) {
  std::vector<const Property*> claims;
  for (const Property* p : properties) {
    if (p->claim == Property::Claim::all) {
      claims.push_back(p);
    }
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    for (std::size_t j = i + 1; j < claims.size(); ++j) {
      if (share_an_atom(*claims[i], *claims[j])) {  // apart, only lengths of runs could clash
        report(clash({claims[i], claims[j]}), claims[i]->name + " and " + claims[j]->name, out);
      }
    }
  }
  if (out.empty() && claims.size() > 1) {
    report(clash(claims), "all " + std::to_string(claims.size()) + " properties", out);
  }
  return out;
}

std::string run_text(const Letters& run, const std::vector<std::string>& aps) {
  std::string out;
  for (const std::size_t letter : run) {
    out += (out.empty() ? "" : "; ") + letter_text(letter, aps);
  }
  return out;
}

}  // namespace assay::spec
