#include "spec_levels.hpp"

namespace assay_check {
namespace {

using Kind = SpecToken::Kind;
constexpr std::size_t kMaxLevels = 1024, kMaxCases = 64;

Exact exact(const Fraction& f) {
  return Exact(f.num, f.den);
}

}  // namespace

void SpecLevels::read(const std::string& name) {
  if (spec_.levels.size() >= kMaxLevels || name == "when" || name == "else" || name == "min" ||
      name == "max") {
    tokens_.refuse("at most 1024 levels, with names that are no words of levels");
  }
  SpecLevel level;
  level.name = name;
  tokens_.expect("=");
  level.initial = number();
  if (tokens_.take_if("min")) {
    level.least = number();
  }
  if (tokens_.take_if("max")) {
    level.most = number();
  }
  if (level.least.value_or(level.initial) > level.initial ||
      level.most.value_or(level.initial) < level.initial) {
    tokens_.refuse("a first value from min to max before this");
  }
  spec_.levels.push_back(level);  // its updates may name it
  if (tokens_.peek().text != ";") {
    cases(spec_.levels.size() - 1);
  }
}

void SpecLevels::move() {
  const std::size_t level = find(tokens_.take(Kind::name, "the name of a level").text);
  if (level == spec_.levels.size() || !spec_.levels[level].cases.empty()) {
    tokens_.refuse("a level without cases before this");
  }
  cases(level);
}

void SpecLevels::cases(std::size_t level) {
  std::vector<SpecLevel::Case> out;
  do {
    if (out.size() >= kMaxCases) {
      tokens_.refuse("at most 64 cases of one level");
    }
    out.push_back(one_case());
  } while (out.back().guard);
  spec_.levels[level].cases = std::move(out);
}

void SpecLevels::finish() const {
  for (const SpecLevel& level : spec_.levels) {
    if (level.cases.empty()) {
      tokens_.refuse("move for " + level.name);
    }
  }
}

SpecLevel::Case SpecLevels::one_case() {
  SpecLevel::Case out;
  if (!tokens_.take_if("else")) {
    tokens_.expect("when");
    out.guard = ltl_.parse(out.atoms);
    if (!is_boolean(*out.guard)) {
      tokens_.refuse("a guard without operators of time before this");
    }
    tokens_.expect(":");
  }
  out.to = form();
  return out;
}

bool SpecLevels::is_boolean(FormulaId f) const {
  const Formula& n = spec_.formulas.at(f);
  switch (n.op) {
    case Op::and_:
    case Op::or_:
      return is_boolean(n.a) && is_boolean(n.b);
    case Op::constant_false:
    case Op::constant_true:
    case Op::atom:
    case Op::not_atom:
      return true;
    default:
      return false;
  }
}

bool SpecLevels::is_form() const {
  const SpecToken& next = tokens_.peek();
  return next.kind == Kind::number || next.text == "-" ||
         (next.kind == Kind::name && find(next.text) < spec_.levels.size());
}

LevelTerms SpecLevels::compared() {
  LevelForm out = form();
  if (out.terms.empty() || out.constant != 0) {
    tokens_.refuse("levels with factors, and no number beside them, before this");
  }
  return out.terms;
}

LevelForm SpecLevels::form() {
  LevelForm out;
  bool has_constant = false;
  term(out, tokens_.take_if("-"), has_constant);
  for (;;) {
    const bool signed_number =
        tokens_.peek().kind == Kind::number && tokens_.peek().text.starts_with('-');
    if (signed_number || tokens_.take_if("+")) {
      term(out, false, has_constant);
    } else if (tokens_.take_if("-")) {
      term(out, true, has_constant);
    } else {
      return out;
    }
  }
}

/// DEC [ * ID ] | ID [ * DEC ]
void SpecLevels::term(LevelForm& out, bool minus, bool& has_constant) {
  Exact factor = 1;
  const bool number_first = tokens_.peek().kind == Kind::number;
  if (number_first) {
    factor = number();
    if (!tokens_.take_if("*")) {
      if (std::exchange(has_constant, true)) {
        tokens_.refuse("one number without a level");
      }
      out.constant = minus ? -factor : factor;
      return;
    }
  }
  const std::size_t level = find(tokens_.take(Kind::name, "the name of a level").text);
  if (level == spec_.levels.size()) {
    tokens_.refuse("a level declared above before this");
  }
  if (!number_first && tokens_.take_if("*")) {
    factor = number();
  }
  if (factor == 0 || !out.terms.emplace(level, minus ? -factor : factor).second) {
    tokens_.refuse("each level once and not with 0 before this");
  }
}

Exact SpecLevels::number() {
  return exact(parse_decimal(tokens_.take(Kind::number, "a decimal").text));
}

std::size_t SpecLevels::find(std::string_view name) const {
  std::size_t i = 0;
  while (i < spec_.levels.size() && spec_.levels[i].name != name) {
    ++i;
  }
  return i;
}

}  // namespace assay_check
