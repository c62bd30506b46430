#include "assay/spec/progression.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxClauses = 2000;
constexpr std::size_t kMaxMemo = 1000000;
// Operation::atom of two obligations of their own: next_weak = "no more letter", next_strong =
// "one more letter"
constexpr std::size_t kOver = 1;

}  // namespace

Progression::Progression(const FormulaPtr& formula, Ending ending)
    : ending_(ending), registers_(formula) {
  for (const std::size_t a : atoms_of(formula)) {
    require(a < 64, "Progression: an atom index of 64 or more");
    used_ |= std::uint64_t{1} << a;
  }
  std::map<const Formula*, Node> memo;
  const FormulaPtr normal = negation_normal_form(formula);
  initial_ = intern_state(registers_.initial(), of(intern_formula(normal, memo)));
}

Progression::Node Progression::intern(Operation operation) {
  const auto [it, is_new] = index_.emplace(operation, static_cast<Node>(nodes_.size()));
  if (is_new) {
    nodes_.push_back(std::move(operation));
  }
  return it->second;
}

Progression::Node Progression::intern_formula(const FormulaPtr& formula,
                                              std::map<const Formula*, Node>& memo) {
  if (const auto found = memo.find(formula.get()); found != memo.end()) {
    return found->second;
  }
  if (is_past(formula->op)) {
    const Node node = intern({formula->op, registers_.index(*formula), {}, 0, {}});
    memo.emplace(formula.get(), node);
    return node;
  }
  Operation out{formula->op, formula->atom, {}, formula->lo, formula->hi};
  for (const FormulaPtr& child : formula->children) {
    out.children.push_back(intern_formula(child, memo));
  }
  if (out.op == Op::and_ || out.op == Op::or_) {
    std::sort(out.children.begin(), out.children.end());
    out.children.erase(std::unique(out.children.begin(), out.children.end()), out.children.end());
  }
  const Node node = intern(std::move(out));
  memo.emplace(formula.get(), node);
  return node;
}

Progression::State Progression::intern_state(std::uint32_t registers, Residual residual) {
  const auto [found, is_new_residual] =
      residual_index_.emplace(residual, static_cast<std::uint32_t>(residuals_.size()));
  if (is_new_residual) {
    residuals_.push_back(std::move(residual));
  }
  // what is decided needs no memory
  const bool decided = residuals_[found->second].empty() || residuals_[found->second][0].empty();
  const auto key = std::make_pair(decided ? registers_.initial() : registers, found->second);
  const auto [it, is_new] = state_index_.emplace(key, static_cast<State>(states_.size()));
  if (is_new) {
    states_.push_back(key);
  }
  return it->second;
}

/// X, G and W are met when the run is over; X[!], F, U and atoms need one more letter.
bool Progression::end_meets(Node node) const {
  const Op op = nodes_[node].op;
  return op == Op::next_weak || op == Op::globally || op == Op::weak_until;
}

bool Progression::accepts_end(State state) const {
  const Residual& residual = residuals_[states_[state].second];
  return std::any_of(residual.begin(), residual.end(), [&](const Clause& clause) {
    return std::all_of(clause.begin(), clause.end(), [&](Node node) { return end_meets(node); });
  });
}

/// What X f or X[!] f leaves: "f, or the run is over" and "f, and one more letter". Most f say by
/// themselves which of the two the end is worth.
Progression::Residual Progression::after(Op op, Node node) {
  Residual inner = of(node);
  if (ending_ == Ending::never) {
    return inner;
  }
  const auto met = [&](const Clause& clause) {
    return std::all_of(clause.begin(), clause.end(), [&](Node part) { return end_meets(part); });
  };
  if (op == Op::next_weak) {
    if (std::none_of(inner.begin(), inner.end(), met)) {
      inner.push_back({intern({Op::next_weak, kOver, {}, 0, {}})});
    }
    return minimal(std::move(inner));
  }
  for (Clause& clause : inner) {
    if (met(clause)) {
      clause = joined(clause, {intern({Op::next_strong, kOver, {}, 0, {}})});
    }
  }
  return minimal(std::move(inner));
}

bool Progression::implies(Node a, Node b) const {
  if (a == b) {
    return true;
  }
  const Operation& x = nodes_[a];
  const Operation& y = nodes_[b];
  if (x.op != y.op || (x.op != Op::eventually && x.op != Op::globally) ||
      x.children != y.children) {
    return false;
  }
  const auto within = [](const Operation& inner, const Operation& outer) {
    return outer.lo <= inner.lo && (!outer.hi || (inner.hi && *inner.hi <= *outer.hi));
  };
  return x.op == Op::eventually ? within(x, y) : within(y, x);
}

/// Clause a implies clause b: every conjunct of b follows from one of a.
bool Progression::implies(const Clause& a, const Clause& b) const {
  return std::all_of(b.begin(), b.end(), [&](Node y) {
    return std::any_of(a.begin(), a.end(), [&](Node x) { return implies(x, y); });
  });
}

Progression::Clause Progression::joined(const Clause& a, const Clause& b) const {
  Clause all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  Clause out;
  for (const Node x : all) {
    const bool follows =
        std::any_of(all.begin(), all.end(), [&](Node y) { return y != x && implies(y, x); });
    if (!follows) {
      out.push_back(x);
    }
  }
  return out;
}

Progression::Residual Progression::minimal(std::vector<Clause> clauses) const {
  std::sort(clauses.begin(), clauses.end());
  clauses.erase(std::unique(clauses.begin(), clauses.end()), clauses.end());
  if (clauses.size() > kMaxClauses) {
    throw UsageError("the formula is too complex: a residual needs more than " +
                     std::to_string(kMaxClauses) + " clauses");
  }
  Residual out;
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    bool covered = false;
    for (std::size_t j = 0; j < clauses.size() && !covered; ++j) {
      // of two equivalent clauses the earlier one stays
      covered =
          i != j && implies(clauses[i], clauses[j]) && (j < i || !implies(clauses[j], clauses[i]));
    }
    if (!covered) {
      out.push_back(clauses[i]);
    }
  }
  return out;
}

Progression::Residual Progression::conjunction(const Residual& a, const Residual& b) const {
  if (a.size() * b.size() > kMaxClauses * 4) {
    throw UsageError("the formula is too complex: a residual needs more than " +
                     std::to_string(kMaxClauses) + " clauses");
  }
  std::vector<Clause> clauses;
  for (const Clause& x : a) {
    for (const Clause& y : b) {
      clauses.push_back(joined(x, y));
    }
  }
  return minimal(std::move(clauses));
}

Progression::Residual Progression::disjunction(const Residual& a, const Residual& b) const {
  std::vector<Clause> clauses = a;
  clauses.insert(clauses.end(), b.begin(), b.end());
  return minimal(std::move(clauses));
}

Progression::Residual Progression::of(Node node) const {
  const Operation& f = nodes_[node];
  switch (f.op) {
    case Op::constant_true:
      return {{}};
    case Op::constant_false:
      return {};
    case Op::and_:
    case Op::or_: {
      Residual out = f.op == Op::and_ ? Residual{{}} : Residual{};
      for (const Node child : f.children) {
        out = f.op == Op::and_ ? conjunction(out, of(child)) : disjunction(out, of(child));
      }
      return out;
    }
    default:
      return {{node}};
  }
}

const Progression::Residual& Progression::progressed(Node node, const Letter& letter) {
  const auto key = std::make_pair(node, letter);
  if (const auto found = memo_.find(key); found != memo_.end()) {
    return found->second;
  }
  Residual out = progress(node, letter);
  return memo_.emplace(key, std::move(out)).first->second;
}

Progression::Residual Progression::progress(Node node, const Letter& letter) {
  const Operation f = nodes_[node];  // a copy: nodes_ grows below
  const auto holds = [&](const Operation& a) {
    return (((a.op == Op::atom ? letter.atoms : letter.past) >> a.atom) & 1U) != 0;
  };
  switch (f.op) {
    case Op::constant_true:
    case Op::constant_false:
      return of(node);
    case Op::atom:
    case Op::yesterday:
    case Op::once:
    case Op::historically:
      return holds(f) ? Residual{{}} : Residual{};
    case Op::not_:
      return holds(nodes_[f.children[0]]) ? Residual{} : Residual{{}};
    case Op::and_:
    case Op::or_: {
      Residual out = f.op == Op::and_ ? Residual{{}} : Residual{};
      for (const Node child : f.children) {
        const Residual& inner = progressed(child, letter);
        out = f.op == Op::and_ ? conjunction(out, inner) : disjunction(out, inner);
      }
      return out;
    }
    case Op::next_weak:
    case Op::next_strong:
      if (f.children.empty()) {  // here is one more letter
        return f.op == Op::next_strong ? Residual{{}} : Residual{};
      }
      return after(f.op, f.children[0]);
    case Op::until:
    case Op::weak_until: {  // a U b  =  b | (a & X(a U b))
      const Residual stays = conjunction(progressed(f.children[0], letter), {{node}});
      return disjunction(progressed(f.children[1], letter), stays);
    }
    case Op::eventually:
    case Op::globally:
      break;
  }
  return progress_bounded(node, letter);
}

/// F[0:b] f = f | X F[0:b-1] f, F[a:b] f = X F[a-1:b-1] f; G dually.
Progression::Residual Progression::progress_bounded(Node node, const Letter& letter) {
  Operation later = nodes_[node];
  const bool is_eventually = later.op == Op::eventually;
  if (later.lo == 0 && later.hi == std::size_t{0}) {
    return progressed(later.children[0], letter);
  }
  if (later.hi) {
    --*later.hi;
  }
  if (later.lo > 0) {
    --later.lo;
    return {{intern(std::move(later))}};
  }
  const Node child = later.children[0];
  const Residual rest{{intern(std::move(later))}};
  const Residual& now = progressed(child, letter);
  return is_eventually ? disjunction(now, rest) : conjunction(now, rest);
}

Progression::State Progression::next(State state, std::uint64_t atoms) {
  const auto [registers, number] = states_[state];
  const Letter letter{atoms & used_, registers_.values(registers, atoms & used_)};
  if (memo_.size() > kMaxMemo) {
    memo_.clear();
  }
  const Residual residual = residuals_[number];
  Residual out;
  for (const Clause& clause : residual) {
    Residual product{{}};
    for (const Node node : clause) {
      product = conjunction(product, progressed(node, letter));
      if (product.empty()) {
        break;
      }
    }
    out = disjunction(out, product);
  }
  return intern_state(registers_.next(registers, letter.atoms), std::move(out));
}

}  // namespace assay::spec
