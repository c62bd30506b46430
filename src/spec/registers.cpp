#include "assay/spec/registers.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxOperators = 64;

bool bit(std::uint64_t word, std::size_t i) {
  return ((word >> i) & 1U) != 0;
}

}  // namespace

Registers::Registers(const FormulaPtr& formula) {
  std::map<const Formula*, bool> seen;
  collect(formula, seen);
  Memory start;
  for (const FormulaPtr& f : operators_) {
    start.push_back(f->op == Op::historically && !f->hi ? 1 : 0);
  }
  intern(start);
}

void Registers::collect(const FormulaPtr& f, std::map<const Formula*, bool>& seen) {
  if (!seen.emplace(f.get(), true).second) {
    return;
  }
  for (const FormulaPtr& child : f->children) {
    collect(child, seen);
  }
  if (!is_past(f->op)) {
    return;
  }
  const auto same = std::find_if(operators_.begin(), operators_.end(), [&](const FormulaPtr& g) {
    return g->op == f->op && g->hi == f->hi && g->children[0] == f->children[0];
  });
  index_[f.get()] = static_cast<std::size_t>(same - operators_.begin());
  if (same == operators_.end()) {
    operators_.push_back(f);
  }
  if (operators_.size() > kMaxOperators) {
    throw UsageError("a property may use at most " + std::to_string(kMaxOperators) +
                     " operators of the past (O[a:b] counts a + 1), found more");
  }
}

bool Registers::holds(const Formula& f, std::uint64_t atoms, std::uint64_t past) const {
  const auto inner = [&](const FormulaPtr& child) { return holds(*child, atoms, past); };
  switch (f.op) {
    case Op::constant_true:
      return true;
    case Op::atom:
      return bit(atoms, f.atom);
    case Op::not_:
      return !inner(f.children[0]);
    case Op::and_:
      return std::all_of(f.children.begin(), f.children.end(), inner);
    case Op::or_:
      return std::any_of(f.children.begin(), f.children.end(), inner);
    case Op::yesterday:
    case Op::once:
    case Op::historically:
      return bit(past, index_.at(&f));
    case Op::constant_false:
      return false;
    default:
      throw PreconditionError("Registers: an operator of the future below one of the past");
  }
}

std::uint64_t Registers::values(std::uint32_t state, std::uint64_t atoms) const {
  const Memory& memory = memories_[state];
  std::uint64_t past = 0;
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    const Formula& f = *operators_[i];
    bool value = memory[i] != 0;
    if (f.op == Op::once) {
      value = value || holds(*f.children[0], atoms, past);
    } else if (f.op == Op::historically) {
      const bool now = holds(*f.children[0], atoms, past);
      value = f.hi ? now && !value : now && value;  // a bounded one counts the last failure
    }
    past |= std::uint64_t{value} << i;
  }
  return past;
}

std::uint32_t Registers::next(std::uint32_t state, std::uint64_t atoms) {
  if (operators_.empty()) {
    return state;
  }
  const std::uint64_t past = values(state, atoms);
  Memory after = memories_[state];
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    const Formula& f = *operators_[i];
    if (f.op != Op::yesterday && !f.hi) {
      after[i] = bit(past, i) ? 1 : 0;
      continue;
    }
    const bool now = holds(*f.children[0], atoms, past);
    if (f.op == Op::yesterday) {
      after[i] = now ? 1 : 0;
    } else if (now == (f.op == Op::once)) {
      after[i] = static_cast<std::uint32_t>(*f.hi);
    } else {
      after[i] -= after[i] > 0 ? 1 : 0;
    }
  }
  return intern(after);
}

std::uint32_t Registers::intern(const Memory& memory) {
  const auto [it, is_new] =
      memory_index_.emplace(memory, static_cast<std::uint32_t>(memories_.size()));
  if (is_new) {
    memories_.push_back(memory);
  }
  return it->second;
}

}  // namespace assay::spec
