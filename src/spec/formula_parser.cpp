#include "formula_parser.hpp"

#include <algorithm>
#include <array>

#include "assay/spec/formula.hpp"
#include "suggest.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxNodes = 100000;
constexpr std::size_t kMaxBound = 20000;
constexpr std::size_t kMaxRun = 64;
constexpr std::size_t kParameter = std::size_t{1} << 20U;  // above every real atom index

constexpr std::size_t kMaxTimes = 64;
constexpr std::size_t kMaxPastShift = 32;

constexpr std::array<std::string_view, 8> kPatterns = {
    "absent", "always", "exists", "at_most", "responds", "precedes", "run", "cooldown"};
constexpr std::array<std::string_view, 19> kWords = {
    "X",    "F",     "G",     "U",    "W",      "R",      "M",     "Y",       "O",    "H",
    "true", "false", "first", "last", "within", "before", "after", "between", "until"};

/// Counts the nesting of the parser itself, so that no text can exhaust the stack.
class Nesting {
 public:
  Nesting(std::size_t& depth, const Lexer& lexer) : depth_(depth) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      lexer.fail_here("at most " + std::to_string(kMaxDepth) + " nested levels");
    }
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  std::size_t& depth_;
};

/// Every operand of Y, O and H looks back only.
bool past_is_sound(const FormulaPtr& f, std::map<const Formula*, bool>& memo) {
  if (const auto found = memo.find(f.get()); found != memo.end()) {
    return found->second;
  }
  bool sound = !is_past(f->op) || looks_back_only(f);
  for (const FormulaPtr& child : f->children) {
    sound = sound && past_is_sound(child, memo);
  }
  memo.emplace(f.get(), sound);
  return sound;
}

FormulaPtr substitute(const FormulaPtr& f, const std::vector<FormulaPtr>& arguments,
                      std::map<const Formula*, FormulaPtr>& memo) {
  if (f->op == Op::atom) {
    return f->atom >= kParameter ? arguments[f->atom - kParameter] : f;
  }
  if (f->children.empty()) {
    return f;
  }
  if (const auto found = memo.find(f.get()); found != memo.end()) {
    return found->second;
  }
  Formula copy = *f;
  for (FormulaPtr& child : copy.children) {
    child = substitute(child, arguments, memo);
  }
  FormulaPtr out = std::make_shared<const Formula>(std::move(copy));
  memo.emplace(f.get(), out);
  return out;
}

}  // namespace

bool is_reserved(const std::string& word) {
  return word == "and" || std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
         std::find(kPatterns.begin(), kPatterns.end(), word) != kPatterns.end();
}

FormulaPtr FormulaParser::parse(std::string& text) {
  lexer_.start_recording();
  const Place place = lexer_.peek().place;
  FormulaPtr f = equivalences();
  text = canonical_text(lexer_.recorded());
  return bounded_size(std::move(f), place);
}

void FormulaParser::define_let(const std::string& name, const std::vector<std::string>& parameters,
                               std::string& text) {
  parameters_ = parameters;
  FormulaPtr body = parse(text);
  parameters_.clear();
  lets_[name] = {parameters.size(), std::move(body)};
}

FormulaPtr FormulaParser::bounded_size(FormulaPtr f, Place place) const {
  const Extent size = extent(f, kMaxNodes + 1);
  if (size.nodes > kMaxNodes) {
    lexer_.fail(place, "a formula of at most " + std::to_string(kMaxNodes) + " nodes once expanded",
                "more");
  }
  if (size.depth > 3 * kMaxDepth) {
    lexer_.fail(
        place,
        "a formula of at most " + std::to_string(3 * kMaxDepth) + " nested operators once expanded",
        std::to_string(size.depth));
  }
  return f;
}

FormulaPtr FormulaParser::equivalences() {
  const Nesting nesting(depth_, lexer_);
  const Place place = lexer_.peek().place;
  FormulaPtr f = implications();
  while (lexer_.accept("<->")) {
    f = bounded_size(equivalence(f, implications()), place);
  }
  return f;
}

FormulaPtr FormulaParser::implications() {
  const Nesting nesting(depth_, lexer_);
  FormulaPtr f = disjunction();
  return lexer_.accept("->") ? implication(f, implications()) : f;
}

FormulaPtr FormulaParser::disjunction() {
  std::vector<FormulaPtr> children{conjunction()};
  while (lexer_.accept("|")) {
    children.push_back(conjunction());
  }
  return children.size() == 1 ? children[0] : junction(Op::or_, std::move(children));
}

FormulaPtr FormulaParser::conjunction() {
  std::vector<FormulaPtr> children{binary()};
  while (lexer_.accept("&")) {
    children.push_back(binary());
  }
  return children.size() == 1 ? children[0] : junction(Op::and_, std::move(children));
}

FormulaPtr FormulaParser::binary() {
  const Nesting nesting(depth_, lexer_);
  FormulaPtr f = unary();
  if (lexer_.accept("U")) {
    return until(Op::until, std::move(f), binary());
  }
  if (lexer_.accept("W")) {
    return until(Op::weak_until, std::move(f), binary());
  }
  // a R b = b W (a & b), a M b = b U (a & b)
  const bool weak = lexer_.at("R");
  if (weak || lexer_.at("M")) {
    lexer_.take();
    const FormulaPtr right = binary();
    return until(weak ? Op::weak_until : Op::until, right, junction(Op::and_, {f, right}));
  }
  return f;
}

FormulaPtr FormulaParser::unary() {
  const Nesting nesting(depth_, lexer_);
  const Place place = lexer_.peek().place;
  if (lexer_.accept("!")) {
    return negation(unary());
  }
  for (const char op : {'X', 'F', 'G'}) {
    if (lexer_.accept(std::string_view(&op, 1))) {
      return temporal(op);
    }
  }
  if (lexer_.accept("Y")) {
    return past(Op::yesterday, place);
  }
  if (lexer_.accept("O")) {
    return past(Op::once, place);
  }
  return lexer_.accept("H") ? past(Op::historically, place) : primary();
}

/// Y f, O[a:b] f, H[a:b] f over what looks back only.
FormulaPtr FormulaParser::past(Op op, Place place) {
  if (op == Op::yesterday && lexer_.at("[")) {
    lexer_.fail_here("an operand", "write O[k:k] for k positions before");
  }
  const Place at = lexer_.peek().place;
  const auto [lo, hi] =
      op == Op::yesterday ? std::pair<std::size_t, std::optional<std::size_t>>{} : bounds();
  if (lo > kMaxPastShift) {
    lexer_.fail(at, "a first bound of at most " + std::to_string(kMaxPastShift),
                std::to_string(lo));
  }
  const FormulaPtr f = unary();
  if (!looks_back_only(f)) {
    lexer_.fail(place, "only aps, !, &, |, Y, O and H under an operator of the past",
                "one of the future", "move the operator of the past inwards");
  }
  return op == Op::yesterday ? yesterday(f) : past_bounded(op, f, lo, hi);
}

/// `[lo:hi]`, `[lo:$]` or nothing.
std::pair<std::size_t, std::optional<std::size_t>> FormulaParser::bounds() {
  std::size_t lo = 0;
  std::optional<std::size_t> hi;
  if (!lexer_.accept("[")) {
    return {lo, hi};
  }
  const Place place = lexer_.peek().place;
  lo = lexer_.expect_integer("the first position");
  lexer_.expect(":");
  if (!lexer_.accept("$")) {
    hi = lexer_.expect_integer("the last position or '$'");
  }
  lexer_.expect("]");
  if (lo > hi.value_or(lo) || std::max(lo, hi.value_or(0)) > kMaxBound) {
    lexer_.fail(place, "ascending positions up to " + std::to_string(kMaxBound),
                std::to_string(lo) + ":" + (hi ? std::to_string(*hi) : "$"));
  }
  return {lo, hi};
}

FormulaPtr FormulaParser::temporal(char op) {
  if (op == 'X') {
    if (!lexer_.accept("[")) {
      return next(Op::next_weak, unary());
    }
    if (lexer_.peek().kind == LexemeKind::number) {
      lexer_.fail_here("'!'", "X takes no bounds; write F[k:k] (strong) or G[k:k] (weak)");
    }
    lexer_.expect("!");
    lexer_.expect("]");
    return next(Op::next_strong, unary());
  }
  const auto [lo, hi] = bounds();
  return bounded(op == 'F' ? Op::eventually : Op::globally, unary(), lo, hi);
}

FormulaPtr FormulaParser::primary() {
  if (lexer_.accept("(")) {
    FormulaPtr f = equivalences();
    lexer_.expect(")");
    return f;
  }
  if (lexer_.accept("true")) {
    return constant(true);
  }
  if (lexer_.accept("false")) {
    return constant(false);
  }
  if (lexer_.accept("first")) {
    return negation(yesterday(constant(true)));
  }
  if (lexer_.accept("last")) {
    return next(Op::next_weak, constant(false));
  }
  if (lexer_.peek().kind != LexemeKind::identifier) {
    lexer_.fail_here("a formula");
  }
  return named(lexer_.take());
}

FormulaPtr FormulaParser::named(const Lexeme& name) {
  if (std::find(kPatterns.begin(), kPatterns.end(), name.text) != kPatterns.end()) {
    return pattern(name.text, name.place);
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i] == name.text) {
      return atom(kParameter + i);
    }
  }
  if (const auto found = atoms_.find(name.text); found != atoms_.end()) {
    return atom(found->second);
  }
  if (const auto found = lets_.find(name.text); found != lets_.end()) {
    return call(name, found->second);
  }
  lexer_.fail(name.place, "the name of an ap or let declared above", shown(name),
              nearest_name(name.text, names()));
}

std::vector<std::string> FormulaParser::names() const {
  std::vector<std::string> out = parameters_;
  for (const auto& [name, index] : atoms_) {
    out.push_back(name);
  }
  for (const auto& [name, macro] : lets_) {
    out.push_back(name);
  }
  for (const std::string_view pattern : kPatterns) {
    out.emplace_back(pattern);
  }
  return out;
}

FormulaPtr FormulaParser::call(const Lexeme& name, const Macro& macro) {
  std::vector<FormulaPtr> arguments;
  if (lexer_.accept("(")) {
    do {
      arguments.push_back(equivalences());
    } while (lexer_.accept(","));
    lexer_.expect(")");
  }
  if (arguments.size() != macro.arity) {
    lexer_.fail(name.place,
                "'" + name.text + "' with " + std::to_string(macro.arity) + " argument" +
                    (macro.arity == 1 ? "" : "s"),
                std::to_string(arguments.size()));
  }
  std::map<const Formula*, FormulaPtr> memo;
  FormulaPtr out = bounded_size(substitute(macro.body, arguments, memo), name.place);
  std::map<const Formula*, bool> sound;
  if (!past_is_sound(out, sound)) {
    lexer_.fail(name.place,
                "arguments that look back only, for '" + name.text +
                    "' has them under an operator of the past",
                "an operator of the future");
  }
  return out;
}

FormulaPtr FormulaParser::pattern(const std::string& name, Place place) {
  FormulaPtr out;
  if (name == "cooldown" || name == "run") {
    lexer_.expect("(");
    out = name == "run" ? run_of() : cooldown();
    lexer_.expect(")");
  } else {
    out = scoped_pattern(name);
  }
  return bounded_size(std::move(out), place);
}

FormulaPtr FormulaParser::scoped_pattern(const std::string& name) {
  const std::size_t times = name == "at_most" ? count(0, kMaxTimes) : 0;
  lexer_.expect("(");
  const FormulaPtr p = equivalences();
  FormulaPtr q;
  std::optional<std::size_t> within;
  if (name == "responds" || name == "precedes") {
    lexer_.expect(",");
    q = equivalences();
  }
  if (name == "responds" && lexer_.accept(",")) {
    lexer_.expect("within");
    within = count(0, kMaxBound);
  }
  lexer_.expect(")");
  const Scope where = scope();
  if (name == "responds") {
    return responds(p, q, within, where);
  }
  if (name == "precedes") {
    return precedes(p, q, where);
  }
  if (name == "exists") {
    return exists(p, where);
  }
  return at_most(times, name == "always" ? negation(p) : p, where);
}

/// [ before R | after Q | between Q and R | after Q until R ]
Scope FormulaParser::scope() {
  Scope out;
  if (lexer_.accept("before")) {
    out.kind = Scope::Kind::before;
    out.end = scope_operand();
  } else if (lexer_.accept("between")) {
    out.kind = Scope::Kind::between;
    out.begin = scope_operand();
    lexer_.expect("and");
    out.end = scope_operand();
  } else if (lexer_.accept("after")) {
    out.kind = Scope::Kind::after;
    out.begin = scope_operand();
    if (lexer_.accept("until")) {
      out.kind = Scope::Kind::after_until;
      out.end = scope_operand();
    }
  }
  return out;
}

/// A scope begins and ends at a letter: an operator of the future there would reach out of it.
FormulaPtr FormulaParser::scope_operand() {
  const Place place = lexer_.peek().place;
  FormulaPtr f = equivalences();
  if (!looks_back_only(f)) {
    lexer_.fail(place, "only aps, !, &, |, Y, O and H in a scope", "an operator of the future",
                "put the pattern and its scope in brackets when something follows");
  }
  return f;
}

std::size_t FormulaParser::count(std::size_t least, std::size_t most) {
  const Lexeme number = lexer_.peek();
  const std::size_t value = lexer_.expect_integer("a number of positions");
  if (value < least || value > most) {
    lexer_.fail(number.place, std::to_string(least) + " to " + std::to_string(most), shown(number));
  }
  return value;
}

/// cooldown(a, b, k) = G(a -> X G[0:k-1] !b)
FormulaPtr FormulaParser::cooldown() {
  const FormulaPtr a = equivalences();
  lexer_.expect(",");
  FormulaPtr b = equivalences();
  lexer_.expect(",");
  const std::size_t k = count(1, kMaxBound);
  const FormulaPtr quiet = bounded(Op::globally, negation(std::move(b)), 0, k - 1);
  return bounded(Op::globally, implication(a, next(Op::next_weak, quiet)));
}

/// run(p, k) = p & X[!](p & X[!](…)), k times p
FormulaPtr FormulaParser::run_of() {
  const FormulaPtr p = equivalences();
  lexer_.expect(",");
  const std::size_t k = count(1, kMaxRun);
  FormulaPtr out = p;
  for (std::size_t i = 1; i < k; ++i) {
    out = junction(Op::and_, {p, next(Op::next_strong, out)});
  }
  return out;
}

}  // namespace assay::spec
