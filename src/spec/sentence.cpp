#include <algorithm>
#include <array>

#include "assay/base/errors.hpp"
#include "assay/spec/explain.hpp"
#include "assay/spec/print.hpp"
#include "lexer.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxWords = 20000;

/// One word, or brackets round the whole.
bool is_single(const std::string& words) {
  if (words.find(' ') == std::string::npos) {
    return true;
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    depth += words[i] == '(' ? 1 : 0;
    depth -= words[i] == ')' && depth > 0 ? 1 : 0;
    if (depth == 0) {
      return i + 1 == words.size();
    }
  }
  return false;
}

std::string bracketed(const std::string& words) {
  return is_single(words) ? words : "(" + words + ")";
}

std::string positions(const std::string& count) {
  return count + (count == "1" ? " position" : " positions");
}

/// Reads a formula's text, which the parser has accepted, aloud. One method a production.
class Reader {
 public:
  Reader(const Spec& spec, const std::string& text,
         const std::map<std::string, std::string>& parameters, std::size_t lets)
      : spec_(spec), lexer_(text, "formula"), parameters_(parameters), lets_(lets) {}

  std::string read() { return limited(equivalence()); }

 private:
  static std::string limited(std::string words) {
    if (words.size() > kMaxWords) {
      throw UsageError("the sentence is longer than " + std::to_string(kMaxWords) + " characters");
    }
    return words;
  }

  std::string equivalence() {
    std::string out = implication();
    while (lexer_.accept("<->")) {
      out = bracketed(out) + " exactly when " + bracketed(implication());
    }
    return out;
  }

  std::string implication() {
    std::string out = joined("|", " or ", &Reader::conjunction);
    return lexer_.accept("->") ? "if " + bracketed(out) + " then " + implication() : out;
  }

  std::string conjunction() { return joined("&", " and ", &Reader::binary); }

  std::string joined(const char* sign, const char* word, std::string (Reader::*part)()) {
    std::string out = (this->*part)();
    for (bool first = true; lexer_.accept(sign); first = false) {
      out = (first ? bracketed(out) : out) + word + bracketed((this->*part)());
    }
    return limited(out);
  }

  std::string binary() {
    std::string left = unary();
    if (lexer_.accept("U")) {
      return bracketed(left) + " until " + bracketed(binary()) + ", which must come";
    }
    if (lexer_.accept("W")) {
      return bracketed(left) + " until " + bracketed(binary()) + ", or to the end";
    }
    if (lexer_.accept("R")) {
      return bracketed(binary()) + " up to and with " + bracketed(left) + ", or to the end";
    }
    if (lexer_.accept("M")) {
      return bracketed(binary()) + " up to and with " + bracketed(left) + ", which must come";
    }
    return left;
  }

  std::string unary() {
    if (lexer_.accept("!")) {
      return "not " + bracketed(unary());
    }
    if (lexer_.accept("X")) {
      const bool strong = lexer_.accept("[");
      if (strong) {
        lexer_.expect("!");
        lexer_.expect("]");
      }
      return std::string(strong ? "at the next position, which must exist, "
                                : "at the next position, if there is one, ") +
             bracketed(unary());
    }
    if (lexer_.accept("Y")) {
      return "one position before, " + bracketed(unary());
    }
    static constexpr std::array<std::array<const char*, 3>, 4> kTimed = {{
        {"F", "at some position from here on, ", "at some position "},
        {"G", "at every position from here on, ", "at every position "},
        {"O", "at this or some earlier position, ", "at some position "},
        {"H", "at this and every earlier position, ", "at every position "},
    }};
    for (const auto& [op, always, between] : kTimed) {
      if (lexer_.accept(op)) {
        const bool back = *op == 'O' || *op == 'H';
        const std::string when = timed(always, between, back ? " back, " : " ahead, ");
        return when + bracketed(unary());
      }
    }
    return primary();
  }

  std::string timed(const std::string& always, const std::string& between,
                    const std::string& where) {
    if (!lexer_.accept("[")) {
      return always;
    }
    const std::string lo = lexer_.take().text;
    lexer_.expect(":");
    const std::string hi = lexer_.take().text;
    lexer_.expect("]");
    return between + (hi == "$" ? lo + " or more" : lo + " to " + hi) + where;
  }

  std::string primary() {
    if (lexer_.accept("(")) {
      std::string out = equivalence();
      lexer_.expect(")");
      return bracketed(out);
    }
    std::string name = lexer_.take().text;
    if (name == "first" || name == "last") {
      return "(this is the " + name + " position)";
    }
    if (const auto found = parameters_.find(name); found != parameters_.end()) {
      return found->second;
    }
    static constexpr std::array<std::string_view, 8> kPatterns = {
        "absent", "always", "exists", "at_most", "responds", "precedes", "run", "cooldown"};
    if (std::find(kPatterns.begin(), kPatterns.end(), name) != kPatterns.end()) {
      return pattern(name);
    }
    for (std::size_t i = 0; i < lets_; ++i) {
      if (spec_.lets[i].name == name) {
        return call(i);
      }
    }
    return name;
  }

  std::string call(std::size_t index) {
    const Let& let = spec_.lets[index];
    std::map<std::string, std::string> arguments;
    if (lexer_.accept("(")) {
      for (const std::string& parameter : let.parameters) {
        arguments[parameter] = bracketed(equivalence());
        static_cast<void>(lexer_.accept(","));
      }
      lexer_.expect(")");
    }
    return bracketed(Reader(spec_, let.text, arguments, index).read());
  }

  std::string pattern(const std::string& name) {
    const std::string times = name == "at_most" ? lexer_.take().text : "";
    lexer_.expect("(");
    const std::string p = bracketed(equivalence());
    std::string q, number;
    while (lexer_.accept(",")) {
      if (lexer_.accept("within") || lexer_.peek().kind == LexemeKind::number) {
        number = lexer_.take().text;
      } else {
        q = bracketed(equivalence());
      }
    }
    lexer_.expect(")");
    if (name == "run") {
      return "(" + p + " at " + number + " successive positions)";
    }
    if (name == "cooldown") {
      return "for " + positions(number) + " after " + p + ", the model shall never satisfy " + q;
    }
    const std::string where = scope();
    if (name == "absent" || name == "always") {
      return where + "the model shall " + (name == "absent" ? "never" : "always") + " satisfy " + p;
    }
    if (name == "exists") {
      return where + "the model shall at some position satisfy " + p;
    }
    if (name == "at_most") {
      return where + "the model shall satisfy " + p + " at no more than " + positions(times);
    }
    if (name == "precedes") {
      return where + "the model shall not satisfy " + q + " before " + p;
    }
    return where + "whenever " + p + ", the model shall satisfy " + q + " there or later" +
           (number.empty() ? "" : ", within " + positions(number));
  }

  std::string scope() {
    if (lexer_.accept("before")) {
      return "before " + bracketed(equivalence()) + " (if it comes), ";
    }
    if (lexer_.accept("between")) {
      const std::string begin = bracketed(equivalence());
      lexer_.expect("and");
      return "between " + begin + " and " + bracketed(equivalence()) + " (if it comes), ";
    }
    if (!lexer_.accept("after")) {
      return "";
    }
    const std::string begin = bracketed(equivalence());
    return "after " + begin +
           (lexer_.accept("until") ? " until " + bracketed(equivalence()) : std::string()) + ", ";
  }

  const Spec& spec_;
  Lexer lexer_;
  const std::map<std::string, std::string>& parameters_;
  std::size_t lets_;  ///< a let's text sees the lets before it
};

std::string claim_words(const Property& p) {
  switch (p.claim) {
    case Property::Claim::all:
      return "In every run";
    case Property::Claim::some:
      return "In some run";
    default:
      break;
  }
  static constexpr const char* kWords[] = {"at least", "above", "at most", "below"};
  const bool most = p.claim == Property::Claim::pmax;
  return std::string("With ") + (most ? "the largest" : "the smallest") +
         " probability that the unknown allows, which is " +
         kWords[static_cast<int>(p.comparison)] + " " + decimal_text(p.probability);
}

}  // namespace

std::string sentence(const Spec& spec, const Property& property) {
  const std::map<std::string, std::string> none;
  const auto read = [&](const std::string& text) {
    return Reader(spec, text, none, spec.lets.size()).read();
  };
  std::string out = claim_words(property);
  out += property.assume ? " in which " + bracketed(read(property.assume_text)) : "";
  out += property.from ? ", from every position after " + bracketed(read(property.from_text)) : "";
  return out + ": " + read(property.text) + ".";
}

}  // namespace assay::spec
