#include "patterns.hpp"

#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

FormulaPtr always(FormulaPtr f) {
  return bounded(Op::globally, std::move(f));
}
FormulaPtr both(const FormulaPtr& a, const FormulaPtr& b) {
  return junction(Op::and_, {a, b});
}
FormulaPtr either(const FormulaPtr& a, const FormulaPtr& b) {
  return junction(Op::or_, {a, b});
}

/// What ends the obligation inside a segment: R, or that R never comes where the scope then asks
/// nothing; null: nothing ends it.
FormulaPtr release(const Scope& scope) {
  switch (scope.kind) {
    case Scope::Kind::before:
    case Scope::Kind::between:
      return either(scope.end, always(negation(scope.end)));
    case Scope::Kind::after_until:
      return scope.end;
    default:
      return nullptr;
  }
}

FormulaPtr weak_until_release(const FormulaPtr& f, const FormulaPtr& stop, const Scope& scope) {
  const FormulaPtr end = release(scope);
  if (!stop && !end) {
    return always(f);
  }
  return until(Op::weak_until, f, !end ? stop : !stop ? end : either(stop, end));
}

/// The segment's formula, asked for wherever a segment begins.
FormulaPtr at_each_segment(const FormulaPtr& segment, const Scope& scope) {
  switch (scope.kind) {
    case Scope::Kind::globally:
    case Scope::Kind::before:
      return segment;
    case Scope::Kind::after:
      return always(implication(scope.begin, segment));
    case Scope::Kind::between:
    case Scope::Kind::after_until:
      break;
  }
  return always(implication(both(scope.begin, negation(scope.end)), segment));
}

}  // namespace

FormulaPtr at_most(std::size_t times, const FormulaPtr& p, const Scope& scope) {
  FormulaPtr segment = weak_until_release(negation(p), nullptr, scope);
  for (std::size_t i = 0; i < times; ++i) {
    segment = weak_until_release(negation(p), both(p, next(Op::next_weak, segment)), scope);
  }
  return at_each_segment(segment, scope);
}

FormulaPtr exists(const FormulaPtr& p, const Scope& scope) {
  if (scope.kind == Scope::Kind::globally) {
    return bounded(Op::eventually, p);
  }
  if (scope.kind == Scope::Kind::after) {
    const FormulaPtr later = bounded(Op::eventually, p);
    return either(always(negation(scope.begin)), bounded(Op::eventually, both(scope.begin, later)));
  }
  const Op op = scope.kind == Scope::Kind::after_until ? Op::until : Op::weak_until;
  const FormulaPtr not_end = negation(scope.end);
  return at_each_segment(until(op, not_end, both(p, not_end)), scope);
}

FormulaPtr responds(const FormulaPtr& p, const FormulaPtr& q, std::optional<std::size_t> within,
                    const Scope& scope) {
  const FormulaPtr answer = bounded(Op::eventually, q, 0, within);
  if (scope.kind == Scope::Kind::globally || scope.kind == Scope::Kind::after) {
    return at_each_segment(always(implication(p, answer)), scope);
  }
  const bool open_end = scope.kind == Scope::Kind::after_until;
  const FormulaPtr not_end = negation(scope.end);
  FormulaPtr due =
      until(open_end && !within ? Op::until : Op::weak_until, not_end, both(q, not_end));
  if (within) {
    due = both(open_end ? answer : either(answer, always(not_end)), due);
  }
  return at_each_segment(until(Op::weak_until, implication(p, due), scope.end), scope);
}

FormulaPtr precedes(const FormulaPtr& s, const FormulaPtr& p, const Scope& scope) {
  const FormulaPtr segment = weak_until_release(negation(p), s, scope);
  if (scope.kind == Scope::Kind::after) {  // after the first one
    return until(Op::weak_until, negation(scope.begin), both(scope.begin, segment));
  }
  return at_each_segment(segment, scope);
}

}  // namespace assay::spec
