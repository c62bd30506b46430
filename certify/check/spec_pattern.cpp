// The patterns with their scopes, as docs/spec-language.md expands them.
#include "spec_ltl.hpp"

namespace assay_check {
namespace {

constexpr std::uint32_t kNone = Formula::kUnbounded;
constexpr std::uint32_t kMaxRun = 64;

}  // namespace

FormulaId LtlParser::both(FormulaId a, FormulaId b) {
  return formulas_.make(Op::and_, a, b);
}
FormulaId LtlParser::either(FormulaId a, FormulaId b) {
  return formulas_.make(Op::or_, a, b);
}

/// Where a segment ends the obligation: at R, and where the scope then asks nothing also when R
/// never comes. False without an end.
FormulaId LtlParser::release(const Scope& scope) {
  if (!scope.has_end) {
    return Formulas::kFalse;
  }
  return scope.lenient ? either(scope.end, always(formulas_.negate(scope.end))) : scope.end;
}

FormulaId LtlParser::weak(FormulaId f, FormulaId stop) {
  return stop == Formulas::kFalse ? always(f) : formulas_.make(Op::weak_until, f, stop);
}

FormulaId LtlParser::in_segments(FormulaId segment, const Scope& scope) {
  if (!scope.has_begin) {
    return segment;
  }
  const FormulaId begin =
      scope.has_end ? both(scope.begin, formulas_.negate(scope.end)) : scope.begin;
  return always(implies(begin, segment));
}

LtlParser::Scope LtlParser::read_scope() {
  Scope scope;
  if (tokens_.take_if("before")) {
    scope.has_end = scope.lenient = true;
    scope.end = scope_operand();
  } else if (tokens_.take_if("between")) {
    scope.has_begin = scope.has_end = scope.lenient = true;
    scope.begin = scope_operand();
    tokens_.expect("and");
    scope.end = scope_operand();
  } else if (tokens_.take_if("after")) {
    scope.has_begin = true;
    scope.begin = scope_operand();
    scope.has_end = tokens_.take_if("until");
    scope.end = scope.has_end ? scope_operand() : Formulas::kFalse;
  }
  return scope;
}

FormulaId LtlParser::scope_operand() {
  const FormulaId f = equivalence();
  if (!looks_back_only(formulas_, f)) {
    tokens_.refuse("a scope without operators of the future before this");
  }
  return f;
}

FormulaId LtlParser::exists_in(FormulaId p, const Scope& scope) {
  const auto eventually = [&](FormulaId f) {
    return formulas_.make(Op::eventually, f, 0, 0, kNone);
  };
  if (!scope.has_end) {
    return !scope.has_begin ? eventually(p)
                            : either(always(formulas_.negate(scope.begin)),
                                     eventually(both(scope.begin, eventually(p))));
  }
  const FormulaId open = formulas_.negate(scope.end);
  const Op op = scope.lenient ? Op::weak_until : Op::until;
  return in_segments(formulas_.make(op, open, both(p, open)), scope);
}

FormulaId LtlParser::responds_in(FormulaId p, FormulaId q, std::uint32_t within,
                                 const Scope& scope) {
  const FormulaId answer = formulas_.make(Op::eventually, q, 0, 0, within);
  if (!scope.has_end) {
    return in_segments(always(implies(p, answer)), scope);
  }
  const FormulaId open = formulas_.negate(scope.end);
  const bool strong = !scope.lenient && within == kNone;
  FormulaId due = formulas_.make(strong ? Op::until : Op::weak_until, open, both(q, open));
  if (within != kNone) {
    due = both(scope.lenient ? either(answer, always(open)) : answer, due);
  }
  return in_segments(formulas_.make(Op::weak_until, implies(p, due), scope.end), scope);
}

FormulaId LtlParser::scoped(const std::string& name) {
  const std::uint32_t times = name == "at_most" ? bound() : 0;
  if (times > 64) {
    tokens_.refuse("at most 64 times before this");
  }
  tokens_.expect("(");
  const FormulaId p = equivalence();
  FormulaId q = Formulas::kFalse;
  std::uint32_t within = kNone;
  if (name == "responds" || name == "precedes") {
    tokens_.expect(",");
    q = equivalence();
  }
  if (name == "responds" && tokens_.take_if(",")) {
    tokens_.expect("within");
    within = bound();
  }
  tokens_.expect(")");
  const Scope scope = read_scope();
  if (name == "responds") {
    return responds_in(p, q, within, scope);
  }
  if (name == "exists") {
    return exists_in(p, scope);
  }
  const FormulaId end = release(scope);
  if (name == "precedes") {  // p before the first q
    const FormulaId segment = weak(formulas_.negate(q), either(p, end));
    const bool after_first = scope.has_begin && !scope.has_end;
    return after_first ? weak(formulas_.negate(scope.begin), both(scope.begin, segment))
                       : in_segments(segment, scope);
  }
  const FormulaId bad = name == "always" ? formulas_.negate(p) : p;
  FormulaId segment = weak(formulas_.negate(bad), end);
  for (std::uint32_t i = 0; i < times; ++i) {
    const FormulaId again = both(bad, formulas_.make(Op::next_weak, segment));
    segment = weak(formulas_.negate(bad), either(again, end));
  }
  return in_segments(segment, scope);
}

FormulaId LtlParser::pattern(const std::string& name) {
  if (name == "run" || name == "cooldown") {
    tokens_.expect("(");
    const FormulaId f = name == "run" ? run_of() : cooldown();
    tokens_.expect(")");
    return f;
  }
  for (const char* known : {"absent", "always", "exists", "at_most", "responds", "precedes"}) {
    if (name == known) {
      return scoped(name);
    }
  }
  tokens_.refuse("a formula before this");
}

FormulaId LtlParser::run_of() {
  const FormulaId p = equivalence();
  tokens_.expect(",");
  const std::uint32_t k = bound();
  if (k == 0 || k > kMaxRun) {
    tokens_.refuse("1 to 64 positions before this");
  }
  FormulaId f = p;
  for (std::uint32_t i = 1; i < k; ++i) {
    f = formulas_.make(Op::and_, p, formulas_.make(Op::next_strong, f));
  }
  return f;
}

FormulaId LtlParser::cooldown() {
  const FormulaId p = equivalence();
  tokens_.expect(",");
  const FormulaId b = equivalence();
  tokens_.expect(",");
  const std::uint32_t k = bound();
  if (k == 0) {
    tokens_.refuse("at least one position before this");
  }
  const FormulaId quiet = formulas_.make(Op::globally, formulas_.negate(b), 0, 0, k - 1);
  return always(implies(p, formulas_.make(Op::next_weak, quiet)));
}

}  // namespace assay_check
