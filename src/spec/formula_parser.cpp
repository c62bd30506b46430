#include "formula_parser.hpp"

#include <algorithm>
#include <array>

#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxNodes = 100000;
constexpr std::size_t kMaxBound = 20000;
constexpr std::size_t kMaxRun = 64;
constexpr std::size_t kParameter = std::size_t{1} << 20U;  // above every real atom index

constexpr std::array<std::string_view, 7> kPatterns = {"absent",   "always", "exists",  "responds",
                                                       "precedes", "run",    "cooldown"};

/// Counts the nesting of the parser itself, so that no text can exhaust the stack.
class Level {
 public:
  Level(std::size_t& depth, const Lexer& lexer) : depth_(depth) {
    if (++depth_ > kMaxDepth) {
      --depth_;
      lexer.fail_here("at most " + std::to_string(kMaxDepth) + " nested levels");
    }
  }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  std::size_t& depth_;
};

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
  static constexpr std::array<std::string_view, 8> kWords = {"X", "F",    "G",     "U",
                                                             "W", "true", "false", "within"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
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
  const Level level(depth_, lexer_);
  const Place place = lexer_.peek().place;
  FormulaPtr f = implications();
  while (lexer_.accept("<->")) {
    f = bounded_size(equivalence(f, implications()), place);
  }
  return f;
}

FormulaPtr FormulaParser::implications() {
  const Level level(depth_, lexer_);
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
  const Level level(depth_, lexer_);
  FormulaPtr f = unary();
  if (lexer_.accept("U")) {
    return until(Op::until, std::move(f), binary());
  }
  if (lexer_.accept("W")) {
    return until(Op::weak_until, std::move(f), binary());
  }
  return f;
}

FormulaPtr FormulaParser::unary() {
  const Level level(depth_, lexer_);
  if (lexer_.accept("!")) {
    return negation(unary());
  }
  for (const char op : {'X', 'F', 'G'}) {
    if (lexer_.accept(std::string_view(&op, 1))) {
      return temporal(op);
    }
  }
  return primary();
}

FormulaPtr FormulaParser::temporal(char op) {
  if (op == 'X') {
    if (!lexer_.accept("[")) {
      return next(Op::next_weak, unary());
    }
    lexer_.expect("!");
    lexer_.expect("]");
    return next(Op::next_strong, unary());
  }
  std::size_t lo = 0;
  std::optional<std::size_t> hi;
  if (lexer_.accept("[")) {
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
  }
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
  lexer_.fail(name.place, "the name of an ap or let declared above", shown(name));
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
  return bounded_size(substitute(macro.body, arguments, memo), name.place);
}

FormulaPtr FormulaParser::pattern(const std::string& name, Place place) {
  lexer_.expect("(");
  FormulaPtr out;
  if (name == "responds") {
    out = response();
  } else if (name == "cooldown") {
    out = cooldown();
  } else if (name == "run") {
    out = run_of();
  } else {
    FormulaPtr p = equivalences();
    if (name == "absent") {
      out = bounded(Op::globally, negation(std::move(p)));
    } else if (name == "always") {
      out = bounded(Op::globally, std::move(p));
    } else if (name == "exists") {
      out = bounded(Op::eventually, std::move(p));
    } else {  // precedes(s, p) = !p W s
      lexer_.expect(",");
      out = until(Op::weak_until, negation(equivalences()), std::move(p));
    }
  }
  lexer_.expect(")");
  return bounded_size(std::move(out), place);
}

/// responds(p, q [, within k]) = G(p -> F[0:k] q)
FormulaPtr FormulaParser::response() {
  const FormulaPtr p = equivalences();
  lexer_.expect(",");
  FormulaPtr q = equivalences();
  std::optional<std::size_t> within;
  if (lexer_.accept(",")) {
    lexer_.expect("within");
    const Lexeme number = lexer_.peek();
    within = lexer_.expect_integer("a number of positions");
    if (*within > kMaxBound) {
      lexer_.fail(number.place, "at most " + std::to_string(kMaxBound), shown(number));
    }
  }
  return bounded(Op::globally, implication(p, bounded(Op::eventually, std::move(q), 0, within)));
}

/// cooldown(a, b, k) = G(a -> X G[0:k-1] !b)
FormulaPtr FormulaParser::cooldown() {
  const FormulaPtr a = equivalences();
  lexer_.expect(",");
  FormulaPtr b = equivalences();
  lexer_.expect(",");
  const Lexeme number = lexer_.peek();
  const std::size_t k = lexer_.expect_integer("a number of positions");
  if (k == 0 || k > kMaxBound) {
    lexer_.fail(number.place, "1 to " + std::to_string(kMaxBound), shown(number));
  }
  const FormulaPtr quiet = bounded(Op::globally, negation(std::move(b)), 0, k - 1);
  return bounded(Op::globally, implication(a, next(Op::next_weak, quiet)));
}

/// run(p, k) = p & X[!](p & X[!](…)), k times p
FormulaPtr FormulaParser::run_of() {
  const FormulaPtr p = equivalences();
  lexer_.expect(",");
  const Lexeme number = lexer_.peek();
  const std::size_t k = lexer_.expect_integer("a number of positions");
  if (k == 0 || k > kMaxRun) {
    lexer_.fail(number.place, "1 to " + std::to_string(kMaxRun), shown(number));
  }
  FormulaPtr out = p;
  for (std::size_t i = 1; i < k; ++i) {
    out = junction(Op::and_, {p, next(Op::next_strong, out)});
  }
  return out;
}

}  // namespace assay::spec
