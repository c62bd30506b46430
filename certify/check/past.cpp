#include "past.hpp"

#include <algorithm>
#include <set>

#include "reject.hpp"

namespace assay_check {
namespace {

bool is_junction(Op op) {
  return op == Op::and_ || op == Op::or_;
}

/// What is below f, inner formulas first.
void collect(const Formulas& formulas, FormulaId f, std::set<FormulaId>& seen,
             std::vector<FormulaId>& order) {
  const Formula& n = formulas.at(f);
  if (!seen.insert(f).second) {
    return;
  }
  if (n.op > Op::not_atom) {
    collect(formulas, n.a, seen, order);
    if (is_junction(n.op) || n.op == Op::until || n.op == Op::weak_until) {
      collect(formulas, n.b, seen, order);
    }
  }
  order.push_back(f);
}

}  // namespace

bool is_past(Op op) {
  return op >= Op::yesterday;
}

bool looks_back_only(const Formulas& formulas, FormulaId f) {
  std::set<FormulaId> seen;
  std::vector<FormulaId> order;
  collect(formulas, f, seen, order);
  return std::all_of(order.begin(), order.end(), [&](FormulaId g) {
    const Op op = formulas.at(g).op;
    return op <= Op::not_atom || is_junction(op) || is_past(op);
  });
}

Past::Past(const Formulas& formulas, FormulaId f) : formulas_(formulas) {
  std::set<FormulaId> seen;
  std::vector<FormulaId> order;
  collect(formulas, f, seen, order);
  for (const FormulaId g : order) {
    const Formula& n = formulas.at(g);
    if (!is_past(n.op)) {
      continue;
    }
    bit_.emplace(g, kFirstBit + operators_.size());
    operators_.push_back(g);
    const bool true_before =
        n.op == Op::weak_yesterday || (n.op == Op::historically && n.hi == Formula::kUnbounded);
    start_.push_back(true_before ? 1 : 0);
  }
  if (operators_.size() > kMost) {
    throw Reject("spec", "more than 33 operators of the past in one formula");
  }
}

bool Past::holds(FormulaId f, std::uint64_t letter) const {
  const Formula& n = formulas_.at(f);
  switch (n.op) {
    case Op::constant_false:
      return false;
    case Op::constant_true:
      return true;
    case Op::atom:
      return (letter >> n.a & 1) != 0;
    case Op::not_atom:
      return (letter >> n.a & 1) == 0;
    case Op::and_:
      return holds(n.a, letter) && holds(n.b, letter);
    case Op::or_:
      return holds(n.a, letter) || holds(n.b, letter);
    default:
      return (letter >> bit_.at(f) & 1) != 0;
  }
}

std::uint64_t Past::complete(const Memory& memory, std::uint64_t letter) const {
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    const Formula& n = formulas_.at(operators_[i]);
    bool value = memory[i] != 0;
    if (n.op == Op::once) {
      value = value || holds(n.a, letter);
    } else if (n.op == Op::historically) {
      value = (n.hi == Formula::kUnbounded ? value : !value) && holds(n.a, letter);
    }
    letter |= std::uint64_t{value ? 1U : 0U} << (kFirstBit + i);
  }
  return letter;
}

Past::Memory Past::after(const Memory& memory, std::uint64_t letter) const {
  Memory next = memory;
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    const Formula& n = formulas_.at(operators_[i]);
    const bool so_far = n.op == Op::once || n.op == Op::historically;
    const bool now = holds(n.a, letter);
    if (!so_far) {
      next[i] = now ? 1 : 0;
    } else if (n.hi == Formula::kUnbounded) {
      next[i] = holds(operators_[i], letter) ? 1 : 0;
    } else if (now == (n.op == Op::once)) {
      next[i] = n.hi;
    } else if (next[i] > 0) {
      --next[i];
    }
  }
  return next;
}

}  // namespace assay_check
