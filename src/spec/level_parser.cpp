#include "level_parser.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "suggest.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxCases = 64;

/// Guards speak of one letter.
bool is_boolean(const FormulaPtr& f) {
  switch (f->op) {
    case Op::constant_true:
    case Op::constant_false:
    case Op::atom:
    case Op::not_:
    case Op::and_:
    case Op::or_:
      return std::all_of(f->children.begin(), f->children.end(), is_boolean);
    default:
      return false;
  }
}

/// a <= b
bool is_at_most(const Rational& a, const Rational& b) {
  __extension__ using Wide = __int128;
  return static_cast<Wide>(a.num) * b.den <= static_cast<Wide>(b.num) * a.den;
}

}  // namespace

// level = DEC [ min DEC ] [ max DEC ] [ { when ltl : form } else form ]
void LevelParser::declare(const Lexeme& name) {
  if (name.text == "when" || name.text == "else" || name.text == "min" || name.text == "max") {
    lexer_.fail(name.place, "a name for the level", shown(name) + ", which is a word of levels");
  }
  Level out;
  out.name = name.text;
  out.atoms_before = spec_.atoms.size();
  lexer_.expect("=");
  const Place start = lexer_.peek().place;
  out.initial = number("the level's first value");
  if (lexer_.accept("min")) {
    out.least = number("the least value");
  }
  if (lexer_.accept("max")) {
    out.most = number("the greatest value");
  }
  if (!is_at_most(out.least.value_or(out.initial), out.initial) ||
      !is_at_most(out.initial, out.most.value_or(out.initial))) {
    lexer_.fail(start, "a first value from min to max", "one outside");
  }
  spec_.levels.push_back(out);  // its own updates may name it
  if (!lexer_.at(";")) {
    cases(spec_.levels.size() - 1);
  }
}

// move = ID { when ltl : form } else form, of a level declared without
void LevelParser::move() {
  const Lexeme name = lexer_.expect(LexemeKind::identifier, "the name of a level");
  const Level* level = find(name.text);
  if (level == nullptr || !level->cases.empty()) {
    lexer_.fail(name.place, "the name of a level declared above that has no cases yet",
                shown(name));
  }
  cases(static_cast<std::size_t>(level - spec_.levels.data()));
}

void LevelParser::cases(std::size_t level) {
  std::vector<Level::Case> out;
  do {
    if (!lexer_.at("when") && !lexer_.at("else")) {
      lexer_.fail_words("'when' or 'else'", {"when", "else", "min", "max"});
    }
    if (out.size() == kMaxCases) {
      lexer_.fail_here("at most " + std::to_string(kMaxCases) + " cases of one level");
    }
    out.push_back(one_case());
  } while (out.back().guard);
  spec_.levels[level].cases = std::move(out);
}

void LevelParser::finish() const {
  for (const Level& level : spec_.levels) {
    if (level.cases.empty()) {
      lexer_.fail_here("'move " + level.name + " when …', for the level has no cases");
    }
  }
}

Level::Case LevelParser::one_case() {
  Level::Case out;
  if (!lexer_.accept("else")) {
    lexer_.expect("when");
    const Place place = lexer_.peek().place;
    out.guard = formulas_.parse(out.guard_text);
    if (!is_boolean(out.guard)) {
      lexer_.fail(place, "only aps, !, &, |, -> and <-> after 'when'", "an operator of time");
    }
    lexer_.expect(":");
  }
  out.to = form();
  return out;
}

bool LevelParser::is_form() const {
  return lexer_.peek().kind == LexemeKind::number || lexer_.at("-") ||
         (lexer_.peek().kind == LexemeKind::identifier && find(lexer_.peek().text) != nullptr);
}

LinearForm LevelParser::compared_form() {
  const Place place = lexer_.peek().place;
  LinearForm out = form();
  if (out.terms.empty() || out.constant.num != 0) {
    lexer_.fail(place, "levels with factors to compare", "a number without a level",
                "put the number on the right of the comparison");
  }
  return out;
}

// form = [ - ] term { ( + | - ) term }; a number with its sign may follow without one
LinearForm LevelParser::form() {
  LinearForm out;
  bool has_constant = false;
  const auto add = [&](bool minus) {
    const Place place = lexer_.peek().place;
    const std::size_t terms = out.terms.size();
    term(out, minus);
    if (out.terms.size() == terms) {
      if (has_constant) {
        lexer_.fail(place, "one number without a level", "a second one");
      }
      has_constant = true;
    }
  };
  add(lexer_.accept("-"));
  for (;;) {
    const Lexeme& next = lexer_.peek();
    if (lexer_.accept("+")) {
      add(false);
    } else if (lexer_.accept("-")) {
      add(true);
    } else if (next.kind == LexemeKind::number && next.text[0] == '-') {
      add(false);
    } else {
      break;
    }
  }
  std::sort(out.terms.begin(), out.terms.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

// term = DEC [ * ID ] | ID [ * DEC ]
void LevelParser::term(LinearForm& out, bool minus) {
  Rational factor{1, 1};
  const bool number_first = lexer_.peek().kind == LexemeKind::number;
  if (number_first) {
    factor = number("a number");
    factor.num = minus ? -factor.num : factor.num;
    if (!lexer_.accept("*")) {
      out.constant = factor;
      return;
    }
  }
  const Lexeme name = lexer_.expect(LexemeKind::identifier, "the name of a level or a number");
  const Level* level = find(name.text);
  if (level == nullptr) {
    lexer_.fail(name.place, "the name of a level declared above", shown(name),
                nearest_name(name.text, names_and({})));
  }
  if (!number_first) {
    factor = lexer_.accept("*") ? number("a number") : factor;
    factor.num = minus ? -factor.num : factor.num;
  }
  const auto index = static_cast<std::size_t>(level - spec_.levels.data());
  if (std::any_of(out.terms.begin(), out.terms.end(),
                  [&](const auto& t) { return t.first == index; })) {
    lexer_.fail(name.place, "each level once", shown(name) + " again");
  }
  if (factor.num != 0) {
    out.terms.emplace_back(index, factor);
  } else {
    lexer_.fail(name.place, "a factor that is not 0", "0");
  }
}

Rational LevelParser::number(const std::string& what) {
  const Lexeme lexeme = lexer_.expect(LexemeKind::number, what + ", a decimal number");
  try {
    return parse_rational(lexeme.text);
  } catch (const InputError&) {
    lexer_.fail(lexeme.place, what + " of at most 15 digits", shown(lexeme));
  }
}

const Level* LevelParser::find(const std::string& name) const {
  const auto found = std::find_if(spec_.levels.begin(), spec_.levels.end(),
                                  [&](const Level& l) { return l.name == name; });
  return found == spec_.levels.end() ? nullptr : &*found;
}

std::vector<std::string> LevelParser::names_and(std::vector<std::string> words) const {
  for (const Level& level : spec_.levels) {
    words.push_back(level.name);
  }
  return words;
}

}  // namespace assay::spec
