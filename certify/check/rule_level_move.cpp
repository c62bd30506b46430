#include <algorithm>

#include "reject.hpp"
#include "rule_level.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxLetterAps = 12;

/// The comparison as a row: >= and > with all signs changed.
LevelRow row_of(const SpecAtom& atom) {
  using Compare = SpecAtom::Compare;
  const bool turned = atom.compare == Compare::at_least || atom.compare == Compare::above;
  LevelRow row;
  add_terms(row.terms, atom.form, turned ? -1 : 1);
  row.bound = Exact(turned ? -atom.threshold.num : atom.threshold.num, atom.threshold.den);
  row.strict = atom.compare == Compare::above || atom.compare == Compare::below;
  return row;
}

/// One letter on one edge.
class Move {
 public:
  Move(const Spec& spec, const DfaFact& dfa, const LevelCone& cone, std::size_t to, std::size_t q,
       LevelVisitor& visitor)
      : spec_(spec), dfa_(dfa), cone_(cone), to_(to), q_(q), visitor_(visitor) {}

  void run(std::map<std::size_t, bool> letter) {
    truth_ = std::move(letter);
    level(0, 0);
  }

 private:
  void split(const LevelRow& row, const std::function<void(bool)>& next) {
    if (row.terms.empty()) {
      next(row.strict ? row.bound > 0 : row.bound >= 0);
    } else {
      visitor_.split(row, next);
    }
  }

  [[nodiscard]] bool holds(FormulaId f) const {
    const Formula& n = spec_.formulas.at(f);
    switch (n.op) {
      case Op::and_:
        return holds(n.a) && holds(n.b);
      case Op::or_:
        return holds(n.a) || holds(n.b);
      case Op::atom:
        return truth_.at(n.a);
      case Op::not_atom:
        return !truth_.at(n.a);
      default:
        return n.op == Op::constant_true;
    }
  }

  void level(std::size_t i, std::size_t number) {
    if (i == cone_.levels.size()) {
      property(0, 0);
      return;
    }
    const SpecLevel::Case& now = spec_.levels[cone_.levels[i]].cases[number];
    if (now.guard) {
      for (std::size_t a = 0; a < spec_.atoms.size(); ++a) {
        if ((now.atoms >> a & 1) != 0 && !truth_.contains(a)) {
          split(row_of(spec_.atoms[a]), [&](bool value) {
            truth_[a] = value;
            level(i, number);
            truth_.erase(a);
          });
          return;
        }
      }
      if (!holds(*now.guard)) {
        level(i, number + 1);
        return;
      }
    }
    clamp_below(i, now.to);
  }

  void become(std::size_t i, const LevelForm& form) {
    update_[cone_.levels[i]] = form;
    level(i + 1, 0);
  }

  void clamp_below(std::size_t i, const LevelForm& form) {
    const std::optional<Exact>& least = spec_.levels[cone_.levels[i]].least;
    if (!least) {
      clamp_above(i, form);
      return;
    }
    const LevelRow under{form.terms, *least - form.constant, true};
    split(under, [&](bool is) { is ? become(i, {{}, *least}) : clamp_above(i, form); });
  }

  void clamp_above(std::size_t i, const LevelForm& form) {
    const std::optional<Exact>& most = spec_.levels[cone_.levels[i]].most;
    if (!most) {
      become(i, form);
      return;
    }
    const LevelRow inside{form.terms, *most - form.constant, false};
    split(inside.negated(), [&](bool is) { become(i, is ? LevelForm{{}, *most} : form); });
  }

  void property(std::size_t i, std::size_t letter) {
    if (i == dfa_.atoms.size()) {
      visitor_.arrive(to_, dfa_.next(q_, letter), update_);
      return;
    }
    const SpecAtom& atom = spec_.atoms[dfa_.atoms[i]];
    const auto next = [&](bool value) { property(i + 1, letter | std::size_t{value} << i); };
    if (atom.kind == SpecAtom::Kind::level) {
      split(row_of(atom).before(update_), next);
    } else {
      next(truth_.at(dfa_.atoms[i]));
    }
  }

  const Spec& spec_;
  const DfaFact& dfa_;
  const LevelCone& cone_;
  std::size_t to_, q_;
  LevelVisitor& visitor_;
  std::map<std::size_t, bool>
      truth_;  ///< of atoms: the letter's, and guards' comparisons before it
  LevelUpdate update_;
};

}  // namespace

LevelCone::LevelCone(const Spec& spec, const DfaFact& dfa, const Machine& machine) {
  std::vector<bool> in(spec.levels.size());
  std::uint64_t atoms = 0;
  std::vector<std::size_t> open;
  const auto enter = [&](const LevelTerms& terms) {
    for (const auto& [level, coefficient] : terms) {
      if (!in[level]) {
        in[level] = true;
        open.push_back(level);
      }
    }
  };
  const auto read = [&](std::size_t a) {
    atoms |= std::uint64_t{1} << a;
    enter(spec.atoms[a].form);
  };
  for (const std::size_t a : dfa.atoms) {
    read(a);
  }
  while (!open.empty()) {
    const SpecLevel& level = spec.levels[open.back()];
    open.pop_back();
    for (const SpecLevel::Case& c : level.cases) {
      enter(c.to.terms);
      for (std::size_t a = 0; a < spec.atoms.size(); ++a) {
        if ((c.atoms >> a & 1) != 0) {
          read(a);
        }
      }
    }
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i]) {
      levels.push_back(i);
    }
  }
  for (std::size_t a = 0; a < spec.atoms.size(); ++a) {
    if ((atoms >> a & 1) == 0 || spec.atoms[a].kind == SpecAtom::Kind::level) {
      continue;
    }
    const auto ap = std::find(machine.aps.begin(), machine.aps.end(), spec.atoms[a].name);
    if (ap == machine.aps.end() || spec.atoms[a].kind == SpecAtom::Kind::other) {
      throw Reject("machine", "no ap of the machine is " + spec.atoms[a].name);
    }
    letter.emplace_back(a, static_cast<std::size_t>(ap - machine.aps.begin()));
  }
  if (letter.size() > kMaxLetterAps) {
    throw Reject("machine", "more than 12 aps in a property and its levels");
  }
}

void LevelCone::need(const Step& step, const LevelRow& row) const {
  for (const auto& [level, coefficient] : row.terms) {
    if (!std::binary_search(levels.begin(), levels.end(), level)) {
      refuse(step, "a row about a level that does not matter to the property");
    }
  }
}

void move_levels(const Spec& spec, const DfaFact& dfa, const LevelCone& cone,
                 const Machine::Edge& edge, std::size_t q, LevelVisitor& visitor) {
  std::uint64_t known = 0;
  for (const auto& [atom, ap] : cone.letter) {
    known |= std::uint64_t{1} << ap;
  }
  for (std::size_t v = 0; v < std::size_t{1} << cone.letter.size(); ++v) {
    std::uint64_t letter = 0;
    std::map<std::size_t, bool> truth;
    for (std::size_t i = 0; i < cone.letter.size(); ++i) {
      const bool is = (v >> i & 1) != 0;
      truth[cone.letter[i].first] = is;
      letter |= std::uint64_t{is} << cone.letter[i].second;
    }
    if (shows(edge.label, letter, known)) {
      Move(spec, dfa, cone, edge.to, q, visitor).run(std::move(truth));
    }
  }
}

}  // namespace assay_check
