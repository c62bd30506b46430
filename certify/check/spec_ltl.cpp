#include "spec_ltl.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace assay_check {
namespace {

constexpr std::size_t kMaxDepth = 300;
constexpr std::size_t kMaxWork = 1'000'000;
constexpr std::uint32_t kMaxBound = 20'000;
constexpr std::uint32_t kMaxRun = 64;
constexpr std::uint32_t kNone = Formula::kUnbounded;

constexpr std::array<std::string_view, 18> kReserved = {
    "Y",     "O",      "H",      "X",      "F",      "G",        "U",        "W",   "true",
    "false", "within", "absent", "always", "exists", "responds", "precedes", "run", "cooldown"};

bool is_reserved(std::string_view word) {
  return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end();
}

}  // namespace

bool LtlParser::is_declared(const std::string& name) const {
  return atoms_.contains(name) || lets_.contains(name) || is_reserved(name);
}

void LtlParser::declare_atom(const std::string& name) {
  const auto index = static_cast<std::uint32_t>(atoms_.size());
  atoms_.emplace(name, Named{formulas_.atom(index), std::uint64_t{1} << index});
}

void LtlParser::declare_let(const std::string& name) {
  Let let;
  Environment saved = parameters_;
  if (tokens_.take_if("(")) {
    do {
      let.parameters.emplace_back(tokens_.take(SpecToken::Kind::name, "a parameter").text);
      if (is_reserved(let.parameters.back()) ||
          !parameters_.emplace(let.parameters.back(), Named{Formulas::kTrue, 0}).second) {
        tokens_.refuse("distinct parameters that are not words of the language");
      }
    } while (tokens_.take_if(","));
    tokens_.expect(")");
  }
  tokens_.expect("=");
  let.body = tokens_.position();
  let.order = lets_.size();
  static_cast<void>(equivalence());  // reads past the body and checks it
  parameters_ = std::move(saved);
  lets_.emplace(name, std::move(let));
}

FormulaId LtlParser::parse(std::uint64_t& atoms) {
  used_ = 0;
  const FormulaId f = equivalence();
  atoms = used_;
  return f;
}

FormulaId LtlParser::implies(FormulaId a, FormulaId b) {
  return formulas_.make(Op::or_, formulas_.negate(a), b);
}

FormulaId LtlParser::always(FormulaId a) {
  return formulas_.make(Op::globally, a, 0, 0, kNone);
}

std::uint32_t LtlParser::bound() {
  const std::size_t value = tokens_.natural();
  if (value > kMaxBound) {
    tokens_.refuse("a bound of at most 20000 before this");
  }
  return static_cast<std::uint32_t>(value);
}

FormulaId LtlParser::equivalence() {
  FormulaId f = implication();
  while (tokens_.take_if("<->")) {
    const FormulaId g = implication();
    const FormulaId neither = formulas_.make(Op::and_, formulas_.negate(f), formulas_.negate(g));
    f = formulas_.make(Op::or_, formulas_.make(Op::and_, f, g), neither);
  }
  return f;
}

/// Counts the nesting, so that no text exhausts the stack, and the work of expanding lets.
FormulaId LtlParser::nested(FormulaId (LtlParser::*rule)()) {
  if (++depth_ > kMaxDepth || ++work_ > kMaxWork) {
    tokens_.refuse("a smaller formula");
  }
  const FormulaId f = (this->*rule)();
  --depth_;
  return f;
}

FormulaId LtlParser::implication() {
  const FormulaId f = disjunction();
  return tokens_.take_if("->") ? implies(f, nested(&LtlParser::implication)) : f;
}

FormulaId LtlParser::disjunction() {
  FormulaId f = conjunction();
  while (tokens_.take_if("|")) {
    f = formulas_.make(Op::or_, f, conjunction());
  }
  return f;
}

FormulaId LtlParser::conjunction() {
  FormulaId f = binary();
  while (tokens_.take_if("&")) {
    f = formulas_.make(Op::and_, f, binary());
  }
  return f;
}

FormulaId LtlParser::binary() {
  const FormulaId f = nested(&LtlParser::unary);
  const bool strong = tokens_.take_if("U");
  if (!strong && !tokens_.take_if("W")) {
    return f;
  }
  return formulas_.make(strong ? Op::until : Op::weak_until, f, nested(&LtlParser::binary));
}

FormulaId LtlParser::unary() {
  if (tokens_.take_if("!")) {
    return formulas_.negate(nested(&LtlParser::unary));
  }
  if (tokens_.take_if("X")) {
    const bool strong = tokens_.take_if("[");
    if (strong) {
      tokens_.expect("!");
      tokens_.expect("]");
    }
    return formulas_.make(strong ? Op::next_strong : Op::next_weak, nested(&LtlParser::unary));
  }
  if (tokens_.take_if("F")) {
    return bounded(Op::eventually);
  }
  if (tokens_.take_if("Y")) {
    return formulas_.make(Op::yesterday, nested(&LtlParser::unary));
  }
  if (tokens_.take_if("O")) {
    return bounded(Op::once);
  }
  if (tokens_.take_if("H")) {
    return bounded(Op::historically);
  }
  return tokens_.take_if("G") ? bounded(Op::globally) : primary();
}

FormulaId LtlParser::bounded(Op op) {
  std::uint32_t lo = 0;
  std::uint32_t hi = kNone;
  if (tokens_.take_if("[")) {
    lo = bound();
    tokens_.expect(":");
    if (!tokens_.take_if("$")) {
      hi = bound();
    }
    tokens_.expect("]");
    if (lo > hi || (lo > 0 && op >= Op::yesterday)) {  // O[a:b] comes as Y … O[0:b-a]
      tokens_.refuse("ascending bounds before this");
    }
  }
  return formulas_.make(op, nested(&LtlParser::unary), 0, lo, hi);
}

FormulaId LtlParser::primary() {
  if (tokens_.take_if("(")) {
    const FormulaId f = equivalence();
    tokens_.expect(")");
    return f;
  }
  if (tokens_.take_if("true")) {
    return Formulas::kTrue;
  }
  if (tokens_.take_if("false")) {
    return Formulas::kFalse;
  }
  return named(std::string(tokens_.take(SpecToken::Kind::name, "a formula").text));
}

FormulaId LtlParser::named(const std::string& name) {
  if (is_reserved(name)) {
    return pattern(name);
  }
  for (const Environment* names : {&parameters_, &atoms_}) {
    if (const auto found = names->find(name); found != names->end()) {
      used_ |= found->second.atoms;
      return found->second.formula;
    }
  }
  const auto let = lets_.find(name);
  if (let == lets_.end() || let->second.order >= visible_) {
    tokens_.refuse("an ap or let declared above before this");
  }
  return call(let->second);
}

FormulaId LtlParser::call(const Let& let) {
  Environment arguments;
  if (!let.parameters.empty()) {
    tokens_.expect("(");
    for (const std::string& parameter : let.parameters) {
      if (!arguments.empty()) {
        tokens_.expect(",");
      }
      const std::uint64_t outside = std::exchange(used_, 0);
      const FormulaId f = equivalence();
      arguments.emplace(parameter, Named{f, std::exchange(used_, outside)});
    }
    tokens_.expect(")");
  }
  const std::size_t back = tokens_.position();
  const std::size_t visible = visible_;
  std::swap(parameters_, arguments);
  visible_ = let.order;
  tokens_.go_to(let.body);
  const FormulaId f = equivalence();
  tokens_.go_to(back);
  visible_ = visible;
  std::swap(parameters_, arguments);
  return f;
}

// Expansions: docs/spec-language.md.
FormulaId LtlParser::pattern(const std::string& name) {
  tokens_.expect("(");
  const FormulaId p = equivalence();
  FormulaId f = 0;
  if (name == "absent") {
    f = always(formulas_.negate(p));
  } else if (name == "always") {
    f = always(p);
  } else if (name == "exists") {
    f = formulas_.make(Op::eventually, p, 0, 0, kNone);
  } else if (name == "precedes") {
    tokens_.expect(",");
    f = formulas_.make(Op::weak_until, formulas_.negate(equivalence()), p);
  } else if (name == "responds") {
    tokens_.expect(",");
    const FormulaId q = equivalence();
    std::uint32_t within = kNone;
    if (tokens_.take_if(",")) {
      tokens_.expect("within");
      within = bound();
    }
    f = always(implies(p, formulas_.make(Op::eventually, q, 0, 0, within)));
  } else if (name == "run") {
    tokens_.expect(",");
    const std::uint32_t k = bound();
    if (k == 0 || k > kMaxRun) {
      tokens_.refuse("1 to 64 positions before this");
    }
    f = p;
    for (std::uint32_t i = 1; i < k; ++i) {
      f = formulas_.make(Op::and_, p, formulas_.make(Op::next_strong, f));
    }
  } else if (name == "cooldown") {
    tokens_.expect(",");
    const FormulaId b = equivalence();
    tokens_.expect(",");
    const std::uint32_t k = bound();
    if (k == 0) {
      tokens_.refuse("at least one position before this");
    }
    const FormulaId quiet = formulas_.make(Op::globally, formulas_.negate(b), 0, 0, k - 1);
    f = always(implies(p, formulas_.make(Op::next_weak, quiet)));
  } else {
    tokens_.refuse("a formula before this");
  }
  tokens_.expect(")");
  return f;
}

}  // namespace assay_check
