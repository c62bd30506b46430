#include "assay/spec/dfa.hpp"

#include <algorithm>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/spec/progression.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxAtoms = 12;
constexpr std::size_t kMaxEntries = 4000000;

std::uint64_t spread(const std::vector<std::size_t>& atoms, std::size_t letter) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    all |= std::uint64_t{(letter >> i) & 1U} << atoms[i];
  }
  return all;
}

/// A state from which every letter leads to bad is bad itself: a run goes on for ever. What is
/// bad stays bad.
void close_bad(Dfa& dfa) {
  const std::size_t letters = dfa.letters();
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t s = dfa.states; s-- > 0;) {
      if (dfa.bad[s]) {
        continue;
      }
      bool doomed = true;
      for (std::size_t a = 0; a < letters && doomed; ++a) {
        doomed = dfa.bad[dfa.table[s * letters + a]];
      }
      if (doomed) {
        dfa.bad[s] = true;
        changed = true;
      }
    }
  }
  for (std::size_t s = 0; s < dfa.states; ++s) {
    if (dfa.bad[s]) {
      std::fill_n(dfa.table.begin() + static_cast<std::ptrdiff_t>(s * letters), letters,
                  static_cast<std::uint32_t>(s));
    }
  }
}

/// Every state that progression reaches, without what is bad.
Dfa explored(Progression& progression, std::vector<std::size_t> atoms) {
  Dfa dfa;
  dfa.atoms = std::move(atoms);
  if (dfa.atoms.size() > kMaxAtoms) {
    throw UsageError("a property may use at most " + std::to_string(kMaxAtoms) + " aps, found " +
                     std::to_string(dfa.atoms.size()));
  }
  require(progression.initial() == 0, "explored: the initial state is not the first");
  for (Progression::State s = 0; s < progression.states(); ++s) {  // states() grows
    if (progression.states() > kMaxDfaStates || dfa.table.size() > kMaxEntries) {
      throw UsageError("the formula is too complex: its automaton has more than " +
                       std::to_string(kMaxDfaStates) + " states or " + std::to_string(kMaxEntries) +
                       " transitions");
    }
    for (std::size_t a = 0; a < dfa.letters(); ++a) {
      dfa.table.push_back(progression.next(s, spread(dfa.atoms, a)));
    }
  }
  dfa.states = progression.states();
  return dfa;
}

}  // namespace

std::size_t Dfa::project(std::uint64_t all) const {
  std::size_t letter = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    letter |= static_cast<std::size_t>((all >> atoms[i]) & 1U) << i;
  }
  return letter;
}

bool Dfa::has_bad() const {
  return std::find(bad.begin(), bad.end(), true) != bad.end();
}

Dfa bad_prefix_dfa(const FormulaPtr& formula) {
  Progression progression(formula);
  Dfa dfa = explored(progression, atoms_of(formula));
  for (Progression::State s = 0; s < progression.states(); ++s) {
    dfa.bad.push_back(progression.is_false(s));
  }
  close_bad(dfa);
  return minimised(dfa);
}

Acceptor ltlf_acceptor(const FormulaPtr& formula, std::vector<std::size_t> atoms) {
  Progression progression(formula, Progression::Ending::anywhere);
  Dfa dfa = explored(progression, std::move(atoms));
  for (Progression::State s = 0; s < progression.states(); ++s) {
    dfa.bad.push_back(!progression.accepts_end(s));
  }
  Dfa small = minimised(dfa);
  if (std::find(small.table.begin(), small.table.end(), 0U) == small.table.end()) {
    small.bad[0] = !small.bad[0];  // no run ends here: the value that merges more is as good
    Dfa other = minimised(small);
    if (other.states < small.states) {
      return {std::move(other)};
    }
    small.bad[0] = !small.bad[0];
  }
  return {std::move(small)};
}

Acceptor ltlf_acceptor(const FormulaPtr& formula) {
  return ltlf_acceptor(formula, atoms_of(formula));
}

std::vector<bool> can_turn_bad(const Dfa& dfa) {
  std::vector<bool> out = dfa.bad;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t q = dfa.states; q-- > 0;) {
      for (std::size_t a = 0; a < dfa.letters() && !out[q]; ++a) {
        out[q] = out[dfa.table[q * dfa.letters() + a]];
        changed = changed || out[q];
      }
    }
  }
  return out;
}

}  // namespace assay::spec
