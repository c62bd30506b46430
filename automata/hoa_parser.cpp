#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "assay/automata/hoa.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 26U;
constexpr std::size_t kMaxAps = 64, kMaxStates = 1000000, kMaxEdges = 5000000;
constexpr std::size_t kMaxDepth = 200, kMaxImplicitAps = 12, kMaxLabel = 100000;

struct Token {
  enum class Kind {
    end,
    header,
    identifier,
    alias,
    integer,
    string,
    sign,
    section
  } kind = Kind::end;
  std::string text;
  std::size_t line = 1;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The words of a HOA file, one ahead.
class Scanner {
 public:
  Scanner(const std::string& text, std::string file) : text_(text), file_(std::move(file)) {
    if (text.size() > kMaxText) {
      fail("a file of at most 64 MiB", std::to_string(text.size()) + " bytes");
    }
    next_ = scan();
  }

  [[nodiscard]] const Token& peek() const { return next_; }
  Token take() {
    Token out = next_;
    next_ = scan();
    return out;
  }
  bool accept(Token::Kind kind, const char* text) {
    if (next_.kind != kind || next_.text != text) {
      return false;
    }
    take();
    return true;
  }
  bool accept(const char* sign) { return accept(Token::Kind::sign, sign); }
  void expect(const char* sign) {
    if (!accept(sign)) {
      fail_here(std::string("'") + sign + "'");
    }
  }
  std::size_t integer(const std::string& what) {
    if (next_.kind != Token::Kind::integer) {
      fail_here(what);
    }
    if (next_.text.size() > 10 || parse_unsigned(next_.text, what) >= (std::uint64_t{1} << 31U)) {
      fail_here(what + " below 2^31");
    }
    return static_cast<std::size_t>(parse_unsigned(take().text, what));
  }
  [[noreturn]] void fail_here(const std::string& expected) const {
    fail_at(next_.line, expected,
            next_.kind == Token::Kind::end ? "the end of the file"
                                           : "'" + visible(next_.text.substr(0, 40)) + "'");
  }
  [[noreturn]] void fail_at(std::size_t line, const std::string& expected,
                            const std::string& found) const {
    throw InputError(file_ + ":" + std::to_string(line) + ": expected " + expected + ", found " +
                     found);
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    fail_at(line_, expected, found);
  }
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  char advance() {
    line_ += text_[at_] == '\n' ? 1 : 0;
    return text_[at_++];
  }

  void skip_blank() {
    std::size_t depth = 0;
    while (!done()) {
      if (text_.compare(at_, 2, "/*") == 0) {
        ++depth;
        at_ += 2;
      } else if (depth > 0 && text_.compare(at_, 2, "*/") == 0) {
        --depth;
        at_ += 2;
      } else if (depth > 0 ||
                 std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        advance();
      } else {
        return;
      }
    }
    if (depth > 0) {
      fail("'*/' to end the comment", "the end of the file");
    }
  }

  Token scan() {
    skip_blank();
    Token out;
    out.line = line_;
    if (done()) {
      return out;
    }
    const char c = text_[at_];
    if (c == '"') {
      return scan_string(out);
    }
    if (text_.compare(at_, 2, "--") == 0) {
      return scan_section(out);
    }
    if (is_digit(c)) {
      out.kind = Token::Kind::integer;
      while (!done() && is_digit(text_[at_])) {
        out.text += advance();
      }
      return out;
    }
    if (is_letter(c) || c == '@') {
      out.kind = c == '@' ? Token::Kind::alias : Token::Kind::identifier;
      do {
        out.text += advance();
      } while (!done() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '-'));
      if (c != '@' && !done() && text_[at_] == ':') {
        advance();
        out.kind = Token::Kind::header;
      }
      return out;
    }
    out.kind = Token::Kind::sign;
    out.text = advance();
    if (std::string_view("!&|()[]{}").find(c) == std::string_view::npos) {
      fail("a word of HOA v1", "'" + visible(out.text) + "'");
    }
    return out;
  }

  Token scan_string(Token& out) {
    out.kind = Token::Kind::string;
    advance();
    while (!done()) {
      char c = advance();
      if (c == '"') {
        return out;
      }
      if (c == '\\' && !done()) {
        c = advance();
      }
      out.text += c;
    }
    fail("'\"' to end the string", "the end of the file");
  }

  Token scan_section(Token& out) {
    out.kind = Token::Kind::section;
    for (const char* name : {"--BODY--", "--END--", "--ABORT--"}) {
      if (text_.compare(at_, std::char_traits<char>::length(name), name) == 0) {
        out.text = name;
        at_ += out.text.size();
        return out;
      }
    }
    fail("--BODY--, --END-- or --ABORT--", "'--'");
  }

  const std::string& text_;
  std::string file_;
  std::size_t at_ = 0, line_ = 1;
  Token next_;
};

class Parser {
 public:
  Parser(const std::string& text, const std::string& file) : scan_(text, file) {}

  Hoa parse() {
    if (!scan_.accept(Token::Kind::header, "HOA")) {
      scan_.fail_here("'HOA: v1'");
    }
    if (!scan_.accept(Token::Kind::identifier, "v1")) {
      scan_.fail_here("version 'v1'");
    }
    while (scan_.peek().kind == Token::Kind::header) {
      header();
    }
    if (!scan_.accept(Token::Kind::section, "--BODY--")) {
      scan_.fail_here("a header or --BODY--");
    }
    finish_header();
    while (scan_.peek().kind == Token::Kind::header) {
      state();
    }
    if (!scan_.accept(Token::Kind::section, "--END--")) {
      scan_.fail_here("'State:' or --END--");
    }
    if (scan_.peek().kind != Token::Kind::end) {
      scan_.fail_here("one automaton and the end of the file");
    }
    std::stable_sort(hoa_.edges.begin(), hoa_.edges.end(),
                     [](const Hoa::Edge& a, const Hoa::Edge& b) { return a.from < b.from; });
    return std::move(hoa_);
  }

 private:
  void header() {
    const Token name = scan_.take();
    if (!seen_.insert(name.text).second && name.text != "Start" && name.text != "Alias" &&
        name.text != "properties") {
      scan_.fail_at(name.line, "each header once", "'" + name.text + ":' again");
    }
    if (name.text == "States") {
      states_ = scan_.integer("a number of states");
    } else if (name.text == "Start") {
      hoa_.start.push_back(scan_.integer("a state"));
      if (scan_.accept("&")) {
        scan_.fail_at(name.line, "one state (alternation is not read)", "a conjunction of states");
      }
    } else if (name.text == "AP") {
      aps();
    } else if (name.text == "Alias") {
      alias();
    } else if (name.text == "Acceptance") {
      acceptance(name.line);
    } else if (name.text == "name") {
      if (scan_.peek().kind != Token::Kind::string) {
        scan_.fail_here("a string");
      }
      hoa_.name = scan_.take().text;
    } else if (name.text == "Finite-words") {
      if (!scan_.accept(Token::Kind::identifier, "t")) {
        scan_.fail_here("'t'");
      }
      hoa_.finite_words = true;
    } else if (name.text[0] >= 'A' && name.text[0] <= 'Z') {
      scan_.fail_at(name.line, "a header whose meaning is known here",
                    "'" + visible(name.text) + ":', which changes what the automaton means");
    } else {
      while (scan_.peek().kind != Token::Kind::header &&
             scan_.peek().kind != Token::Kind::section && scan_.peek().kind != Token::Kind::end) {
        scan_.take();
      }
    }
  }

  void aps() {
    const std::size_t count = scan_.integer("a number of aps");
    if (count > kMaxAps) {
      scan_.fail_here("at most 64 aps");
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (scan_.peek().kind != Token::Kind::string) {
        scan_.fail_here("the names of " + std::to_string(count) + " aps as strings");
      }
      const Token name = scan_.take();
      if (std::find(hoa_.aps.begin(), hoa_.aps.end(), name.text) != hoa_.aps.end()) {
        scan_.fail_at(name.line, "different names of aps", "\"" + visible(name.text) + "\" twice");
      }
      hoa_.aps.push_back(name.text);
    }
  }

  void alias() {
    if (scan_.peek().kind != Token::Kind::alias) {
      scan_.fail_here("an alias '@name'");
    }
    const std::string name = scan_.take().text;
    HoaLabel label;
    label_or(label);
    if (!aliases_.emplace(name, label).second) {
      scan_.fail_here("each alias once before this");
    }
  }

  void acceptance(std::size_t line) {
    std::string text = std::to_string(scan_.integer("a number of acceptance sets"));
    while (scan_.peek().kind != Token::Kind::header && scan_.peek().kind != Token::Kind::section &&
           scan_.peek().kind != Token::Kind::end) {
      text += " " + scan_.take().text;
    }
    if (text != "0 t" && text != "1 Inf ( 0 )") {
      scan_.fail_at(line, "acceptance '0 t' or '1 Inf(0)', which are read here",
                    "'" + visible(text) + "'");
    }
    hoa_.buchi = text != "0 t";
  }

  void finish_header() {
    if (seen_.count("Acceptance") == 0) {
      scan_.fail_here("an 'Acceptance:' header before the body");
    }
    if (!states_) {
      scan_.fail_here("a 'States:' header before the body");
    }
    if (*states_ > kMaxStates) {
      scan_.fail_here("at most 1000000 states before the body");
    }
    if (hoa_.finite_words && !hoa_.buchi) {
      scan_.fail_here("'Finite-words: t' with acceptance '1 Inf(0)' before the body");
    }
    hoa_.states = *states_;
    for (const std::size_t s : hoa_.start) {
      if (s >= hoa_.states) {
        scan_.fail_here("start states below 'States:' before the body");
      }
    }
    hoa_.state_names.assign(hoa_.states, "");
    hoa_.accepting.assign(hoa_.states, false);
    listed_.assign(hoa_.states, false);
  }

  void state() {
    const Token word = scan_.take();
    if (word.text != "State") {
      scan_.fail_at(word.line, "'State:' or --END--", "'" + visible(word.text) + ":'");
    }
    std::optional<HoaLabel> shared = label();
    const std::size_t s = state_number();
    if (listed_[s]) {
      scan_.fail_at(word.line, "each state once", "state " + std::to_string(s) + " again");
    }
    listed_[s] = true;
    if (scan_.peek().kind == Token::Kind::string) {
      hoa_.state_names[s] = scan_.take().text;
    }
    hoa_.accepting[s] = marks();
    std::size_t implicit = 0;
    while (scan_.peek().kind == Token::Kind::integer ||
           (scan_.peek().kind == Token::Kind::sign && scan_.peek().text == "[")) {
      edge(s, shared, implicit);
    }
    if (implicit > 0 && implicit != std::size_t{1} << hoa_.aps.size()) {
      scan_.fail_here("2^aps edges without label (state " + std::to_string(s) + " has " +
                      std::to_string(implicit) + ") before this");
    }
  }

  std::size_t state_number() {
    const std::size_t line = scan_.peek().line;
    const std::size_t s = scan_.integer("a state");
    if (s >= hoa_.states) {
      scan_.fail_at(line, "a state below " + std::to_string(hoa_.states), std::to_string(s));
    }
    return s;
  }

  void edge(std::size_t from, const std::optional<HoaLabel>& shared, std::size_t& implicit) {
    Hoa::Edge out;
    out.from = from;
    const std::size_t line = scan_.peek().line;
    if (std::optional<HoaLabel> own = label()) {
      if (shared || implicit > 0) {
        scan_.fail_at(line, "labels on the state, on every edge, or nowhere", "both");
      }
      out.label = std::move(*own);
    } else if (shared) {
      out.label = *shared;
    } else {
      if (hoa_.aps.size() > kMaxImplicitAps) {
        scan_.fail_at(line, "labels, with more than 12 aps", "an edge without one");
      }
      out.label = letter(implicit++);
    }
    out.to = state_number();
    if (scan_.accept("&")) {
      scan_.fail_at(line, "one target (alternation is not read)", "a conjunction of states");
    }
    out.accepting = marks() || hoa_.accepting[from];
    hoa_.edges.push_back(std::move(out));
    if (hoa_.edges.size() > kMaxEdges) {
      scan_.fail_at(line, "at most 5000000 edges", "more");
    }
  }

  HoaLabel letter(std::size_t bits) const {
    HoaLabel out;
    for (std::size_t i = 0; i < hoa_.aps.size(); ++i) {
      out.program.push_back(static_cast<int>(i));
      if (((bits >> i) & 1U) == 0) {
        out.program.push_back(HoaLabel::kNot);
      }
      if (i > 0) {
        out.program.push_back(HoaLabel::kAnd);
      }
    }
    if (out.program.empty()) {
      out.program.push_back(HoaLabel::kTrue);
    }
    return out;
  }

  /// `{0}`, `{}` or nothing.
  bool marks() {
    if (!scan_.accept("{")) {
      return false;
    }
    bool marked = false;
    while (!scan_.accept("}")) {
      if (scan_.integer("an acceptance set") != 0 || !hoa_.buchi) {
        scan_.fail_here("acceptance sets that the header has before this");
      }
      marked = true;
    }
    return marked;
  }

  std::optional<HoaLabel> label() {
    if (!scan_.accept("[")) {
      return std::nullopt;
    }
    HoaLabel out;
    label_or(out);
    scan_.expect("]");
    return out;
  }

  void label_or(HoaLabel& out) {
    if (++depth_ > kMaxDepth || out.program.size() > kMaxLabel) {
      scan_.fail_here("a smaller label");
    }
    label_and(out);
    while (scan_.accept("|")) {
      label_and(out);
      out.program.push_back(HoaLabel::kOr);
    }
    --depth_;
  }

  void label_and(HoaLabel& out) {
    label_not(out);
    while (scan_.accept("&")) {
      label_not(out);
      out.program.push_back(HoaLabel::kAnd);
    }
  }

  void label_not(HoaLabel& out) {
    std::size_t negations = 0;
    while (scan_.accept("!")) {
      ++negations;
    }
    label_leaf(out);
    if (negations % 2 == 1) {
      out.program.push_back(HoaLabel::kNot);
    }
  }

  void label_leaf(HoaLabel& out) {
    if (scan_.accept("(")) {
      label_or(out);
      scan_.expect(")");
    } else if (scan_.accept(Token::Kind::identifier, "t")) {
      out.program.push_back(HoaLabel::kTrue);
    } else if (scan_.accept(Token::Kind::identifier, "f")) {
      out.program.push_back(HoaLabel::kFalse);
    } else if (scan_.peek().kind == Token::Kind::alias) {
      const auto found = aliases_.find(scan_.peek().text);
      if (found == aliases_.end()) {
        scan_.fail_here("an alias defined above");
      }
      scan_.take();
      out.program.insert(out.program.end(), found->second.program.begin(),
                         found->second.program.end());
    } else {
      const std::size_t line = scan_.peek().line;
      const std::size_t ap = scan_.integer("an ap, 't', 'f', '!' or '('");
      if (ap >= hoa_.aps.size()) {
        scan_.fail_at(line, "an ap below " + std::to_string(hoa_.aps.size()), std::to_string(ap));
      }
      out.program.push_back(static_cast<int>(ap));
    }
  }

  Scanner scan_;
  Hoa hoa_;
  std::optional<std::size_t> states_;
  std::set<std::string> seen_;
  std::map<std::string, HoaLabel> aliases_;
  std::vector<bool> listed_;
  std::size_t depth_ = 0;
};

}  // namespace

Hoa parse_hoa(const std::string& text, const std::string& file) {
  return Parser(text, file).parse();
}

}  // namespace assay::automata
