#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"
#include "formula_parser.hpp"
#include "level_parser.hpp"
#include "lexer.hpp"
#include "suggest.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxAtoms = 64;
constexpr std::size_t kMaxLevels = 1024;
constexpr std::size_t kMaxItems = 1200;
constexpr std::size_t kMaxPosition = 20000;

/// The declarations of docs/spec-language.md, one method a production.
class Parser {
 public:
  Parser(const std::string& text, const std::string& file)
      : lexer_(text, file), formulas_(lexer_) {}

  Spec parse() {
    lexer_.expect("spec");
    spec_.name = lexer_.expect(LexemeKind::string, "the spec's name as a string").text;
    lexer_.expect("version");
    spec_.version = lexer_.expect_integer("a version number");
    lexer_.expect(";");
    while (lexer_.peek().kind != LexemeKind::end) {
      declaration();
    }
    levels_.finish();
    return std::move(spec_);
  }

 private:
  void declaration() {
    if (lexer_.at("use")) {
      use();
    } else if (lexer_.at("class")) {
      token_class();
    } else if (lexer_.at("ap")) {
      ap();
    } else if (lexer_.at("level")) {
      level();
    } else if (lexer_.accept("move")) {
      levels_.move();
    } else if (lexer_.at("let")) {
      let();
    } else if (lexer_.at("prop")) {
      prop();
    } else {
      lexer_.fail_words("'use', 'class', 'level', 'move', 'ap', 'let' or 'prop'",
                        {"use", "class", "level", "move", "ap", "let", "prop"});
    }
    lexer_.expect(";");
  }

  /// A name not yet used for the same kind of thing.
  Lexeme fresh_name(std::set<std::string>& taken, const std::string& what) {
    Lexeme name = lexer_.expect(LexemeKind::identifier, "a name for the " + what);
    if (!taken.insert(name.text).second) {
      lexer_.fail(name.place, "a new name", shown(name) + ", which is declared above");
    }
    if (taken.size() > kMaxItems) {
      lexer_.fail(name.place, "at most " + std::to_string(kMaxItems) + " declarations", "more");
    }
    return name;
  }

  void use() {
    lexer_.expect("use");
    Use out;
    out.kind = lexer_.peek().text;
    if (!lexer_.accept("model") && !lexer_.accept("sae") && !lexer_.accept("readout")) {
      lexer_.fail_here("'model', 'sae' or 'readout'");
    }
    const Lexeme name = fresh_name(uses_, "used file");
    out.name = name.text;
    out.place = name.place;
    lexer_.expect("=");
    out.path = lexer_.expect(LexemeKind::string, "a path as a string").text;
    if (lexer_.accept("sha256")) {
      out.sha256 = digest();
    }
    spec_.uses.push_back(std::move(out));
  }

  /// 64 hexadecimal digits may begin with a digit: then they are a number and a name.
  Digest digest() {
    const Place place = lexer_.peek().place;
    std::string hex;
    while (hex.size() < 64 &&
           (lexer_.peek().kind == LexemeKind::number ||
            lexer_.peek().kind == LexemeKind::identifier) &&
           lexer_.peek().place.line == place.line &&
           lexer_.peek().place.column == place.column + hex.size()) {
      hex += lexer_.take().text;
    }
    try {
      return parse_digest(hex);
    } catch (const InputError&) {
      lexer_.fail(place, "64 lowercase hexadecimal digits", "'" + hex + "'");
    }
  }

  void token_class() {
    lexer_.expect("class");
    const Lexeme name = fresh_name(classes_, "class");
    TokenClass out;
    out.name = name.text;
    out.place = name.place;
    lexer_.expect("=");
    if (lexer_.at("/")) {
      out.form = TokenClass::Form::regex;
      out.strings.push_back(lexer_.take_regex());
    } else if (lexer_.accept("{")) {
      out.form = TokenClass::Form::strings;
      do {
        out.strings.push_back(lexer_.expect(LexemeKind::string, "a token's text as a string").text);
      } while (lexer_.accept(","));
      lexer_.expect("}");
    } else if (lexer_.accept("ids")) {
      ids(out);
    } else {
      combination(out);
    }
    spec_.classes.push_back(std::move(out));
    declared_classes_.insert(name.text);
  }

  void ids(TokenClass& out) {
    lexer_.expect("{");
    do {
      out.ids.emplace_back(lexer_.expect_integer("a token id"));
    } while (lexer_.accept(","));
    lexer_.expect("}");
    std::sort(out.ids.begin(), out.ids.end());
    out.ids.erase(std::unique(out.ids.begin(), out.ids.end()), out.ids.end());
  }

  void combination(TokenClass& out) {
    out.form = TokenClass::Form::combination;
    if (lexer_.peek().kind != LexemeKind::identifier) {
      lexer_.fail_here("'{', '/', 'ids' or the name of a class");
    }
    out.strings.push_back(known_class());
    const std::string op = lexer_.peek().text;
    if (!lexer_.accept("|") && !lexer_.accept("&") && !lexer_.accept("\\")) {
      lexer_.fail_here("'|', '&' or '\\'");
    }
    out.strings.push_back(op);
    out.strings.push_back(known_class());
  }

  std::string known_class() {
    const Lexeme name = lexer_.expect(LexemeKind::identifier, "the name of a class");
    if (declared_classes_.count(name.text) == 0) {
      lexer_.fail(name.place, "the name of a class declared above", shown(name),
                  nearest_name(name.text, {declared_classes_.begin(), declared_classes_.end()}));
    }
    return name.text;
  }

  std::string known_use(const std::string& kind) {
    const Lexeme name = lexer_.expect(LexemeKind::identifier, "the name of a used " + kind);
    const Use* use = spec_.find_use(name.text);
    if (use == nullptr || use->kind != kind) {
      lexer_.fail(name.place, "the name of a 'use " + kind + "' declared above", shown(name),
                  nearest_name(name.text, {uses_.begin(), uses_.end()}));
    }
    return name.text;
  }

  void ap() {
    lexer_.expect("ap");
    const Lexeme name = formula_name("ap");
    if (spec_.atoms.size() == kMaxAtoms) {
      lexer_.fail(name.place, "at most " + std::to_string(kMaxAtoms) + " aps", "more");
    }
    Atom out;
    out.name = name.text;
    lexer_.expect("=");
    out.place = lexer_.peek().place;
    if (lexer_.accept("feat")) {
      feature_atom(out);
    } else if (lexer_.accept("read")) {
      out.kind = Atom::Kind::readout;
      lexer_.expect("(");
      out.subject = known_use("readout");
      lexer_.expect(")");
      comparison(out);
    } else if (lexer_.accept("tok")) {
      token_atom(out);
    } else if (lexer_.accept("role")) {
      out.kind = Atom::Kind::role;
      lexer_.expect("=");
      out.subject = lexer_.expect(LexemeKind::identifier, "a role's name").text;
    } else if (lexer_.accept("pos")) {
      position_atom(out);
    } else if (levels_.is_form()) {
      out.kind = Atom::Kind::level;
      out.form = levels_.compared_form();
      out.comparison = sign();
      out.threshold = decimal("a threshold");
    } else {
      lexer_.fail_words("'feat', 'read', 'tok', 'role', 'pos' or the name of a level",
                        levels_.names_and({"feat", "read", "tok", "role", "pos"}));
    }
    if (out.kind == Atom::Kind::position) {
      formulas_.declare_formula(name.text, position_formula(out));
    } else {
      formulas_.declare_atom(name.text, spec_.atoms.size());
    }
    spec_.atoms.push_back(std::move(out));
  }

  void level() {
    lexer_.expect("level");
    const Lexeme name = formula_name("level");
    if (spec_.levels.size() == kMaxLevels) {
      lexer_.fail(name.place, "at most " + std::to_string(kMaxLevels) + " levels", "more");
    }
    levels_.declare(name);
  }

  void feature_atom(Atom& out) {
    out.kind = Atom::Kind::feature;
    lexer_.expect("(");
    out.subject = known_use("sae");
    lexer_.expect("/");
    out.place = lexer_.peek().place;
    if (lexer_.accept("best_feature")) {
      lexer_.expect("(");
      out.best_class = known_class();
      lexer_.expect(",");
      out.best_site = lexer_.expect(LexemeKind::string, "a hook's name as a string").text;
      lexer_.expect(")");
    } else {
      if (lexer_.peek().kind != LexemeKind::number) {
        lexer_.fail_here("a feature number or 'best_feature'");
      }
      out.feature = FeatureId(lexer_.expect_integer("a feature number"));
    }
    lexer_.expect(")");
    comparison(out);
  }

  void token_atom(Atom& out) {
    if (lexer_.accept("in")) {
      out.kind = Atom::Kind::token_in;
      out.subject = known_class();
      return;
    }
    out.kind = Atom::Kind::token_is;
    if (!lexer_.accept("=")) {
      lexer_.fail_here("'in' or '='");
    }
    if (lexer_.accept("id")) {
      out.token = TokenId(lexer_.expect_integer("a token id"));
    } else {
      out.place = lexer_.peek().place;
      out.subject = lexer_.expect(LexemeKind::string, "a token's text as a string or 'id'").text;
    }
  }

  void position_atom(Atom& out) {
    out.kind = Atom::Kind::position;
    out.comparison = sign();
    const Lexeme number = lexer_.peek();
    const std::size_t value = lexer_.expect_integer("a position");
    if (value > kMaxPosition) {
      lexer_.fail(number.place, "a position of at most " + std::to_string(kMaxPosition),
                  shown(number));
    }
    out.threshold.num = static_cast<std::int64_t>(value);
  }

  /// Positions are counted from 0, so pos <= k says that the first one is at most k back.
  static FormulaPtr position_formula(const Atom& a) {
    const bool upward = a.comparison == Comparison::at_least || a.comparison == Comparison::above;
    const bool strict = a.comparison == Comparison::at_least || a.comparison == Comparison::below;
    const auto value = static_cast<std::size_t>(a.threshold.num);
    if (strict && value == 0) {  // pos < 0, pos >= 0
      return constant(upward);
    }
    const FormulaPtr low =
        past_bounded(Op::once, negation(yesterday(constant(true))), 0, strict ? value - 1 : value);
    return upward ? negation(low) : low;
  }

  Comparison sign() {
    static constexpr std::array<std::string_view, 4> kSigns = {">=", ">", "<=", "<"};
    const auto* sign = std::find_if(kSigns.begin(), kSigns.end(),
                                    [&](std::string_view s) { return lexer_.accept(s); });
    if (sign == kSigns.end()) {
      lexer_.fail_here("'>=', '>', '<=' or '<'");
    }
    return static_cast<Comparison>(sign - kSigns.begin());
  }

  void comparison(Atom& out) {
    out.comparison = sign();
    out.threshold = decimal("a threshold");
    if (lexer_.accept("band")) {
      const Place place = lexer_.peek().place;
      out.band = decimal("a band");
      if (out.band.num < 0) {
        lexer_.fail(place, "a band of at least 0", "a negative number");
      }
    }
  }

  Rational decimal(const std::string& what) {
    const Lexeme number = lexer_.expect(LexemeKind::number, what + ", a decimal number");
    try {
      return parse_rational(number.text);
    } catch (const InputError&) {
      lexer_.fail(number.place, what + " of at most 15 digits", shown(number));
    }
  }

  Lexeme formula_name(const std::string& what) {
    Lexeme name = fresh_name(formula_names_, what);
    if (is_reserved(name.text)) {
      lexer_.fail(name.place, "a name for the " + what,
                  shown(name) + ", which is a word of the language");
    }
    return name;
  }

  void let() {
    lexer_.expect("let");
    const Lexeme name = formula_name("let");
    Let out;
    out.name = name.text;
    out.place = name.place;
    if (lexer_.accept("(")) {
      std::set<std::string> taken;
      do {
        const Lexeme parameter = fresh_name(taken, "parameter");
        if (is_reserved(parameter.text)) {
          lexer_.fail(parameter.place, "a name for the parameter", shown(parameter));
        }
        out.parameters.push_back(parameter.text);
      } while (lexer_.accept(","));
      lexer_.expect(")");
    }
    lexer_.expect("=");
    formulas_.define_let(out.name, out.parameters, out.text);
    spec_.lets.push_back(std::move(out));
  }

  void prop() {
    lexer_.expect("prop");
    const Lexeme name = fresh_name(properties_, "property");
    Property out;
    out.name = name.text;
    out.place = name.place;
    lexer_.expect(":");
    claim(out);
    while (!lexer_.at(";")) {
      attribute(out);
    }
    condition(out);
    spec_.properties.push_back(std::move(out));
  }

  void claim(Property& out) {
    if (lexer_.accept("all")) {
      out.claim = Property::Claim::all;
    } else if (lexer_.accept("some")) {
      out.claim = Property::Claim::some;
    } else if (lexer_.at("Pmax") || lexer_.at("Pmin")) {
      out.claim = lexer_.take().text == "Pmax" ? Property::Claim::pmax : Property::Claim::pmin;
      out.comparison = sign();
      out.probability = probability();
      lexer_.expect("[");
      out.formula = formulas_.parse(out.text);
      lexer_.expect("]");
      return;
    } else {
      lexer_.fail_words("'all', 'some', 'Pmax' or 'Pmin'", {"all", "some", "Pmax", "Pmin"});
    }
    out.formula = formulas_.parse(out.text);
  }

  Rational probability() {
    const Place place = lexer_.peek().place;
    const Rational value = decimal("a probability");
    if (value.num < 0 || value.num > value.den) {
      lexer_.fail(place, "a probability between 0 and 1", decimal_text(value));
    }
    return value;
  }

  void attribute(Property& out) {
    const Lexeme key = lexer_.peek();
    std::string value;
    if (lexer_.accept("doc") || lexer_.accept("owner")) {
      value = lexer_.expect(LexemeKind::string, "a text as a string").text;
    } else if (lexer_.accept("severity")) {
      value = lexer_.expect(LexemeKind::identifier, "a severity").text;
    } else if (lexer_.accept("expect")) {
      value = lexer_.peek().text;
      if (!lexer_.accept("holds") && !lexer_.accept("violated") && !lexer_.accept("unknown")) {
        lexer_.fail_words("'holds', 'violated' or 'unknown'", {"holds", "violated", "unknown"});
      }
    } else if (lexer_.accept("from")) {
      from(out);
    } else if (lexer_.accept("assume")) {
      out.assume = formulas_.parse(out.assume_text);
    } else if (lexer_.accept("waive")) {
      out.waiver = lexer_.expect(LexemeKind::string, "a reason as a string").text;
      lexer_.expect("until");
      out.waived_until = value = date();
    } else if (lexer_.at("horizon") || lexer_.at("conf")) {
      value = chance_attribute(out);
    } else if (is_declaration(key.text)) {
      lexer_.fail(key.place, "an operator, an attribute or ';'", shown(key),
                  "end the property above with ';'");
    } else {
      lexer_.fail_words("an operator, an attribute or ';'",
                        {"doc", "severity", "owner", "expect", "from", "assume", "waive", "until",
                         "horizon", "conf", "before", "after", "between", "within"});
    }
    if (!attributes_of_[out.name].insert(key.text).second) {
      lexer_.fail(key.place, "each attribute once", shown(key) + " again");
    }
    if (key.text != "from" && key.text != "assume" && key.text != "waive") {
      out.attributes.emplace(key.text, value);
    }
  }

  static bool is_declaration(const std::string& word) {
    static const std::set<std::string> kWords = {"use", "class", "level", "move",
                                                 "ap",  "let",   "prop"};
    return kWords.count(word) > 0;
  }

  void from(Property& out) {
    const Place place = lexer_.peek().place;
    out.from = formulas_.parse(out.from_text);
    if (!looks_back_only(out.from)) {
      lexer_.fail(place, "only aps, !, &, |, Y, O and H after 'from'", "an operator of the future");
    }
  }

  std::string chance_attribute(const Property& out) {
    const Lexeme key = lexer_.take();
    if (out.claim != Property::Claim::pmax && out.claim != Property::Claim::pmin) {
      lexer_.fail(key.place, "'" + key.text + "' with Pmax or Pmin only", "it with all or some",
                  "bound the formula itself, as in F[0:63]");
    }
    if (key.text == "horizon") {
      return std::to_string(lexer_.expect_integer("a number of positions"));
    }
    return decimal_text(probability());
  }

  /// YYYY-MM-DD, which reads as one number and two negative ones.
  std::string date() {
    const Place place = lexer_.peek().place;
    std::string text;
    for (int i = 0; i < 3 && lexer_.peek().kind == LexemeKind::number; ++i) {
      text += lexer_.take().text;
    }
    const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
    bool good = text.size() == 10 && text[4] == '-' && text[7] == '-';
    for (std::size_t i = 0; i < text.size() && good; ++i) {
      good = i == 4 || i == 7 || (text[i] >= '0' && text[i] <= '9');
    }
    if (!good || two(5) < 1 || two(5) > 12 || two(8) < 1 || two(8) > 31) {
      lexer_.fail(place, "a date as YYYY-MM-DD", "'" + text + "'");
    }
    return text;
  }

  /// Works `from` and `assume` into the formula.
  void condition(Property& out) const {
    const bool all = out.claim == Property::Claim::all;
    if (!all && out.claim != Property::Claim::some) {
      return;
    }
    if (out.from) {
      const FormulaPtr after = next(all ? Op::next_weak : Op::next_strong, out.formula);
      out.formula = all ? bounded(Op::globally, implication(out.from, after))
                        : bounded(Op::eventually, junction(Op::and_, {out.from, after}));
    }
    if (out.assume) {
      out.formula = all ? implication(out.assume, out.formula)
                        : junction(Op::and_, {out.assume, out.formula});
    }
  }

  Lexer lexer_;
  FormulaParser formulas_;
  Spec spec_;
  LevelParser levels_{lexer_, formulas_, spec_};
  std::set<std::string> uses_, classes_, declared_classes_, formula_names_, properties_;
  std::map<std::string, std::set<std::string>> attributes_of_;
};

}  // namespace

const TokenClass* Spec::find_class(const std::string& class_name) const {
  const auto found = std::find_if(classes.begin(), classes.end(),
                                  [&](const TokenClass& c) { return c.name == class_name; });
  return found == classes.end() ? nullptr : &*found;
}

const Use* Spec::find_use(const std::string& use_name) const {
  const auto found =
      std::find_if(uses.begin(), uses.end(), [&](const Use& u) { return u.name == use_name; });
  return found == uses.end() ? nullptr : &*found;
}

bool Spec::is_resolved() const {
  const auto fixed = [](const Atom& a) {
    return a.kind == Atom::Kind::token_is  ? a.token.has_value()
           : a.kind == Atom::Kind::feature ? a.feature.has_value()
                                           : true;
  };
  return std::all_of(uses.begin(), uses.end(), [](const Use& u) { return u.sha256.has_value(); }) &&
         std::all_of(classes.begin(), classes.end(),
                     [](const TokenClass& c) { return c.form == TokenClass::Form::ids; }) &&
         std::all_of(atoms.begin(), atoms.end(), fixed);
}

std::string Property::claim_text() const {
  static constexpr const char* kClaims[] = {"all ", "some ", "Pmax ", "Pmin "};
  std::string out = kClaims[static_cast<int>(claim)];
  if (claim == Claim::pmax || claim == Claim::pmin) {
    static constexpr const char* kSigns[] = {">= ", "> ", "<= ", "< "};
    out += kSigns[static_cast<int>(comparison)] + decimal_text(probability) + " [" + text + "]";
  } else {
    out += text;
  }
  out += from ? " from " + from_text : "";
  return out + (assume ? " assume " + assume_text : "");
}

std::string beyond_universal(const Spec& spec, const Property& property) {
  switch (property.claim) {
    case Property::Claim::all:
      break;
    case Property::Claim::some:
      return "'some' asks for one run, and this engine decides 'all' only";
    case Property::Claim::pmax:
    case Property::Claim::pmin:
      return "a bound on a probability needs an interval chain, and this engine decides 'all' only";
  }
  for (const std::size_t a : atoms_of(property.formula)) {
    if (spec.atoms[a].kind == Atom::Kind::role) {
      return "ap " + spec.atoms[a].name + " is about roles, which generated tokens do not have";
    }
    if (spec.atoms[a].kind == Atom::Kind::level) {
      return "ap " + spec.atoms[a].name +
             " compares a level, which is decided on a machine in HOA (check --automaton FILE.hoa)";
    }
  }
  return "";
}

Spec parse_spec(const std::string& text, const std::string& file) {
  return Parser(text, file).parse();
}

}  // namespace assay::spec
