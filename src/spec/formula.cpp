#include "assay/spec/formula.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "assay/base/errors.hpp"

namespace assay::spec {
namespace {

FormulaPtr make(Formula f) {
  return std::make_shared<const Formula>(std::move(f));
}

/// One memo for the two polarities: shared subformulas are rewritten once.
class Normaliser {
 public:
  FormulaPtr positive(const FormulaPtr& f) { return rewrite(f, false); }

 private:
  FormulaPtr rewrite(const FormulaPtr& f, bool negated) {
    const auto key = std::make_pair(f.get(), negated);
    if (const auto found = memo_.find(key); found != memo_.end()) {
      return found->second;
    }
    FormulaPtr out = rewrite_new(*f, f, negated);
    memo_.emplace(key, out);
    return out;
  }

  FormulaPtr rewrite_new(const Formula& f, const FormulaPtr& self, bool negated) {
    switch (f.op) {
      case Op::constant_true:
      case Op::constant_false:
        return constant((f.op == Op::constant_true) != negated);
      case Op::atom:
      case Op::yesterday:
      case Op::once:
      case Op::historically:
        return negated ? negation(self) : self;
      case Op::not_:
        return rewrite(f.children[0], !negated);
      case Op::and_:
      case Op::or_: {
        std::vector<FormulaPtr> children;
        for (const FormulaPtr& child : f.children) {
          children.push_back(rewrite(child, negated));
        }
        return junction((f.op == Op::and_) != negated ? Op::and_ : Op::or_, std::move(children));
      }
      case Op::next_weak:
      case Op::next_strong:
        return next((f.op == Op::next_weak) != negated ? Op::next_weak : Op::next_strong,
                    rewrite(f.children[0], negated));
      case Op::eventually:
      case Op::globally:
        return bounded((f.op == Op::eventually) != negated ? Op::eventually : Op::globally,
                       rewrite(f.children[0], negated), f.lo, f.hi);
      case Op::until:
      case Op::weak_until:
        break;
    }
    FormulaPtr left = rewrite(f.children[0], negated);
    FormulaPtr right = rewrite(f.children[1], negated);
    if (!negated) {
      return until(f.op, std::move(left), std::move(right));
    }
    return until(f.op == Op::until ? Op::weak_until : Op::until, right,
                 junction(Op::and_, {left, right}));
  }

  std::map<std::pair<const Formula*, bool>, FormulaPtr> memo_;
};

void collect_atoms(const Formula& f, std::set<const Formula*>& seen, std::set<std::size_t>& atoms) {
  if (!seen.insert(&f).second) {
    return;
  }
  if (f.op == Op::atom) {
    atoms.insert(f.atom);
  }
  for (const FormulaPtr& child : f.children) {
    collect_atoms(*child, seen, atoms);
  }
}

bool only_safe_operators(const Formula& f, bool cut, std::set<const Formula*>& seen) {
  if (!seen.insert(&f).second) {
    return true;
  }
  if (is_past(f.op)) {
    return true;
  }
  if (f.op == Op::until || f.op == Op::next_strong || (f.op == Op::eventually && (cut || !f.hi))) {
    return false;
  }
  return std::all_of(f.children.begin(), f.children.end(), [&](const FormulaPtr& child) {
    return only_safe_operators(*child, cut, seen);
  });
}

bool looks_back_only(const Formula& f, std::set<const Formula*>& seen) {
  if (!seen.insert(&f).second) {
    return true;
  }
  switch (f.op) {
    case Op::next_weak:
    case Op::next_strong:
    case Op::until:
    case Op::weak_until:
    case Op::eventually:
    case Op::globally:
      return false;
    default:
      return std::all_of(f.children.begin(), f.children.end(),
                         [&](const FormulaPtr& child) { return looks_back_only(*child, seen); });
  }
}

Extent extent_of(const Formula& f, std::size_t limit, std::map<const Formula*, Extent>& memo) {
  if (const auto found = memo.find(&f); found != memo.end()) {
    return found->second;
  }
  Extent out{1, 1};
  for (const FormulaPtr& child : f.children) {
    const Extent inner = extent_of(*child, limit, memo);
    out.nodes = std::min(limit, out.nodes + inner.nodes);
    out.depth = std::min(limit, std::max(out.depth, inner.depth + 1));
  }
  memo.emplace(&f, out);
  return out;
}

std::string bounds_text(const Formula& f) {
  if (f.lo == 0 && !f.hi) {
    return " ";
  }
  return "[" + std::to_string(f.lo) + ":" + (f.hi ? std::to_string(*f.hi) : "$") + "] ";
}

}  // namespace

FormulaPtr constant(bool value) {
  return make({value ? Op::constant_true : Op::constant_false, 0, {}, 0, {}});
}
FormulaPtr atom(std::size_t index) {
  return make({Op::atom, index, {}, 0, {}});
}
FormulaPtr negation(FormulaPtr f) {
  return make({Op::not_, 0, {std::move(f)}, 0, {}});
}

FormulaPtr junction(Op op, std::vector<FormulaPtr> children) {
  require(op == Op::and_ || op == Op::or_, "junction: not a junction");
  require(!children.empty(), "junction: no operand");
  return make({op, 0, std::move(children), 0, {}});
}

FormulaPtr implication(const FormulaPtr& left, const FormulaPtr& right) {
  return junction(Op::or_, {negation(left), right});
}

FormulaPtr equivalence(const FormulaPtr& left, const FormulaPtr& right) {
  return junction(Op::or_, {junction(Op::and_, {left, right}),
                            junction(Op::and_, {negation(left), negation(right)})});
}

FormulaPtr next(Op op, FormulaPtr f) {
  return make({op, 0, {std::move(f)}, 0, {}});
}

FormulaPtr until(Op op, FormulaPtr left, FormulaPtr right) {
  return make({op, 0, {std::move(left), std::move(right)}, 0, {}});
}

FormulaPtr bounded(Op op, FormulaPtr f, std::size_t lo, std::optional<std::size_t> hi) {
  return make({op, 0, {std::move(f)}, lo, hi});
}

FormulaPtr yesterday(FormulaPtr f) {
  return make({Op::yesterday, 0, {std::move(f)}, 0, {}});
}

FormulaPtr past_bounded(Op op, const FormulaPtr& f, std::size_t lo, std::optional<std::size_t> hi) {
  require(op == Op::once || op == Op::historically, "past_bounded: not an operator of the past");
  if (lo == 0) {
    return make({op, 0, {f}, 0, hi});
  }
  if (op == Op::historically) {
    return negation(past_bounded(Op::once, negation(f), lo, hi));
  }
  FormulaPtr out = make({op, 0, {f}, 0, hi ? std::optional(*hi - lo) : std::nullopt});
  for (std::size_t i = 0; i < lo; ++i) {
    out = yesterday(std::move(out));
  }
  return out;
}

bool is_past(Op op) {
  return op == Op::yesterday || op == Op::once || op == Op::historically;
}

bool looks_back_only(const FormulaPtr& formula) {
  std::set<const Formula*> seen;
  return looks_back_only(*formula, seen);
}

FormulaPtr negation_normal_form(const FormulaPtr& formula) {
  return Normaliser().positive(formula);
}

bool is_safety(const FormulaPtr& formula, bool cut) {
  std::set<const Formula*> seen;
  const FormulaPtr normal = negation_normal_form(formula);
  return only_safe_operators(*normal, cut, seen);
}

std::vector<std::size_t> atoms_of(const FormulaPtr& formula) {
  std::set<const Formula*> seen;
  std::set<std::size_t> atoms;
  collect_atoms(*formula, seen, atoms);
  return {atoms.begin(), atoms.end()};
}

Extent extent(const FormulaPtr& formula, std::size_t limit) {
  std::map<const Formula*, Extent> memo;
  return extent_of(*formula, limit, memo);
}

std::string formula_text(const FormulaPtr& formula, const std::vector<Atom>& atoms) {
  const Formula& f = *formula;
  const auto inner = [&](std::size_t i) { return formula_text(f.children[i], atoms); };
  switch (f.op) {
    case Op::constant_true:
      return "true";
    case Op::constant_false:
      return "false";
    case Op::atom:
      return f.atom < atoms.size() ? atoms[f.atom].name : "ap" + std::to_string(f.atom);
    case Op::not_:
      return "!" + inner(0);
    case Op::next_weak:
      return "X " + inner(0);
    case Op::next_strong:
      return "X[!] " + inner(0);
    case Op::eventually:
    case Op::globally:
      return (f.op == Op::eventually ? "F" : "G") + bounds_text(f) + inner(0);
    case Op::yesterday:
      return "Y " + inner(0);
    case Op::once:
    case Op::historically:
      return (f.op == Op::once ? "O" : "H") + bounds_text(f) + inner(0);
    case Op::until:
    case Op::weak_until:
      return "(" + inner(0) + (f.op == Op::until ? " U " : " W ") + inner(1) + ")";
    case Op::and_:
    case Op::or_:
      break;
  }
  std::string out = "(";
  for (std::size_t i = 0; i < f.children.size(); ++i) {
    out += (i == 0 ? "" : f.op == Op::and_ ? " & " : " | ") + inner(i);
  }
  return out + ")";
}

}  // namespace assay::spec
