#include "formula.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxNodes = 1'000'000, kMaxReadings = 2'000'000;
constexpr std::uint32_t kMaxHeight = 4000;  // formulas are walked recursively

bool is_leaf(Op op) {
  return op <= Op::not_atom;
}
bool is_binary(Op op) {
  return op == Op::and_ || op == Op::or_ || op == Op::until || op == Op::weak_until;
}

}  // namespace

Formulas::Formulas() {
  static_cast<void>(make(Op::constant_false, 0));
  static_cast<void>(make(Op::constant_true, 0));
}

FormulaId Formulas::make(Op op, FormulaId a, FormulaId b, std::uint32_t lo, std::uint32_t hi) {
  if (op == Op::and_ || op == Op::or_) {
    const FormulaId neutral = op == Op::and_ ? kTrue : kFalse;
    const FormulaId absorbing = op == Op::and_ ? kFalse : kTrue;
    if (a == absorbing || b == absorbing) {
      return absorbing;
    }
    if (a == neutral || a == b) {
      return b;
    }
    if (b == neutral) {
      return a;
    }
  }
  const auto [it, fresh] =
      index_.emplace(std::tuple(op, a, b, lo, hi), static_cast<FormulaId>(nodes_.size()));
  if (fresh) {
    const auto below = is_leaf(op) ? 0 : std::max(nodes_[a].height, nodes_[b].height);
    if (nodes_.size() >= kMaxNodes || below >= kMaxHeight) {
      throw Reject("spec", "formula over the limit");
    }
    nodes_.push_back({op, a, b, lo, hi, below + 1});
  }
  return it->second;
}

FormulaId Formulas::negate(FormulaId f) {
  if (const auto known = negations_.find(f); known != negations_.end()) {
    return known->second;
  }
  const Formula n = at(f);
  FormulaId result = kFalse;
  switch (n.op) {
    case Op::constant_false:
      result = kTrue;
      break;
    case Op::constant_true:
      result = kFalse;
      break;
    case Op::atom:
      result = make(Op::not_atom, n.a);
      break;
    case Op::not_atom:
      result = make(Op::atom, n.a);
      break;
    case Op::and_:
    case Op::or_: {
      const FormulaId a = negate(n.a);
      result = make(n.op == Op::and_ ? Op::or_ : Op::and_, a, negate(n.b));
      break;
    }
    case Op::next_weak:
    case Op::next_strong:
      result = make(n.op == Op::next_weak ? Op::next_strong : Op::next_weak, negate(n.a));
      break;
    case Op::until:
    case Op::weak_until: {
      const FormulaId a = negate(n.a), b = negate(n.b);
      const FormulaId both = make(Op::and_, a, b);
      result = make(n.op == Op::until ? Op::weak_until : Op::until, b, both);
      break;
    }
    case Op::yesterday:
      result = make(Op::yesterday, negate(n.a), 0, 1 - n.lo);
      break;
    case Op::once:
    case Op::historically:
      result = make(n.op == Op::once ? Op::historically : Op::once, negate(n.a), 0, n.lo, n.hi);
      break;
    case Op::eventually:
    case Op::globally:
      result =
          make(n.op == Op::eventually ? Op::globally : Op::eventually, negate(n.a), 0, n.lo, n.hi);
      break;
  }
  negations_.emplace(f, result);
  return result;
}

const Formulas::Reading& Formulas::read(FormulaId f, std::uint64_t letter) {
  if (const auto known = readings_.find({f, letter}); known != readings_.end()) {
    return known->second;
  }
  const Formula n = at(f);
  Reading out{n.op == Op::constant_true, n.op > Op::or_ && n.op < Op::yesterday, f};
  if (n.op == Op::atom || n.op == Op::not_atom) {
    out.value = ((letter >> n.a & 1) != 0) == (n.op == Op::atom);
  } else if (!is_leaf(n.op)) {
    const Reading a = read(n.a, letter);
    const Reading b = is_binary(n.op) ? read(n.b, letter) : a;
    std::uint32_t lo = n.lo;
    if (n.op >= Op::yesterday) {
      const bool unbounded = n.hi == Formula::kUnbounded, once = n.op == Op::once;
      out.value = n.op == Op::yesterday ? lo != 0 : once == (lo != 0 || a.value == once);
      lo = n.op == Op::yesterday ? (a.value ? 1 : 0)
           : a.value == once     ? (unbounded ? 1 : n.hi)
                                 : lo - (!unbounded && lo > 0 ? 1 : 0);
      if (a.looks_ahead) {
        throw Reject("spec", "an operator of the future under one of the past");
      }
    } else {
      out.value = n.op == Op::and_ ? a.value && b.value : a.value || b.value;
      out.looks_ahead = out.looks_ahead || a.looks_ahead || b.looks_ahead;
    }
    out.after = make(n.op, a.after, is_binary(n.op) ? b.after : n.b, lo, n.hi);
  }
  if (readings_.size() >= kMaxReadings) {
    throw Reject("spec", "more steps of the past than the limit");
  }
  return readings_.emplace(std::pair(f, letter), out).first->second;
}

bool Formulas::is_safety(FormulaId f, bool cut) const {
  std::vector<FormulaId> all{f};
  std::vector<bool> seen(nodes_.size());
  const auto add = [&](FormulaId child) {
    if (!seen[child]) {
      seen[child] = true;
      all.push_back(child);
    }
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Formula& n = at(all[i]);
    if (n.op == Op::until || n.op == Op::next_strong ||
        (n.op == Op::eventually && (cut || n.hi == Formula::kUnbounded))) {
      return false;
    }
    if (!is_leaf(n.op) && n.op < Op::yesterday) {
      add(n.a);
    }
    if (is_binary(n.op)) {
      add(n.b);
    }
  }
  return true;
}

}  // namespace assay_check
