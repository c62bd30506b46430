#include "lexer.hpp"

#include <algorithm>
#include <array>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "suggest.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxText = std::size_t{1} << 20U;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxShown = 40;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string shortened(const std::string& text) {
  return visible(text.size() <= kMaxShown ? text : text.substr(0, kMaxShown) + "...");
}

}  // namespace

std::string shown(const Lexeme& lexeme) {
  switch (lexeme.kind) {
    case LexemeKind::end:
      return "the end of the file";
    case LexemeKind::string:
      return "\"" + shortened(lexeme.text) + "\"";
    default:
      return "'" + shortened(lexeme.text) + "'";
  }
}

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  if (text.size() > kMaxText) {
    throw UsageError(file_ + ":1:1: expected a spec of at most 1 MiB, found " +
                     std::to_string(text.size()) + " bytes");
  }
  next_ = scan();
}

void Lexer::fail(Place place, const std::string& expected, const std::string& found,
                 const std::string& fix) const {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < place.line; ++line) {
    begin = std::min(text_.find('\n', begin), text_.size() - 1) + 1;
  }
  const std::string_view line =
      text_.substr(begin, std::min(text_.find('\n', begin), text_.size()) - begin);
  const std::size_t at = std::min(place.column - 1, line.size());
  const std::string hint = fix.empty() ? habit_fix(line.substr(0, at), line.substr(at)) : fix;
  throw UsageError(file_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) +
                   ": expected " + expected + ", found " + found + caret_lines(line, place.column) +
                   (hint.empty() ? "" : "\n  " + hint));
}

void Lexer::fail_here(const std::string& expected, const std::string& fix) const {
  fail(next_.place, expected, shown(next_), fix);
}

void Lexer::fail_words(const std::string& expected, const std::vector<std::string>& words) const {
  fail_here(expected,
            next_.kind == LexemeKind::identifier ? nearest_name(next_.text, words) : std::string());
}

char Lexer::advance() {
  const char c = text_[offset_++];
  if (c == '\n') {
    ++here_.line;
    here_.column = 1;
  } else {
    ++here_.column;
  }
  return c;
}

void Lexer::skip_blank() {
  while (!done()) {
    const char c = text_[offset_];
    if (c == '#') {
      while (!done() && text_[offset_] != '\n') {
        advance();
      }
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      advance();
    } else {
      return;
    }
  }
}

Lexeme Lexer::scan() {
  skip_blank();
  Lexeme out;
  out.place = here_;
  if (done()) {
    return out;
  }
  const char c = text_[offset_];
  if (c == '"') {
    return scan_string();
  }
  if (is_letter(c)) {
    out.kind = LexemeKind::identifier;
    while (!done() && (is_letter(text_[offset_]) || is_digit(text_[offset_]))) {
      out.text += advance();
    }
    if (out.text.size() > kMaxName) {
      fail(out.place, "a name of at most 64 characters", shown(out));
    }
    return out;
  }
  const bool negative = c == '-' && offset_ + 1 < text_.size() && is_digit(text_[offset_ + 1]);
  if (is_digit(c) || negative) {
    out.kind = LexemeKind::number;
    out.text += advance();
    bool point = false;
    while (!done() && (is_digit(text_[offset_]) ||
                       (!point && text_[offset_] == '.' && offset_ + 1 < text_.size() &&
                        is_digit(text_[offset_ + 1])))) {
      point = point || text_[offset_] == '.';
      out.text += advance();
    }
    return out;
  }
  return scan_symbol();
}

Lexeme Lexer::scan_string() {
  Lexeme out;
  out.kind = LexemeKind::string;
  out.place = here_;
  advance();
  while (true) {
    if (done() || text_[offset_] == '\n') {
      fail(here_, "'\"' to end the string", done() ? "the end of the file" : "the end of the line");
    }
    const Place start = here_;
    const char c = advance();
    if (c == '"') {
      return out;
    }
    if (c == '\\') {
      scan_escape(out.text, start);
    } else {
      out.text += c;
    }
  }
}

void Lexer::scan_escape(std::string& out, Place start) {
  const char c = done() ? '\n' : advance();
  switch (c) {
    case 'n':
      out += '\n';
      return;
    case 't':
      out += '\t';
      return;
    case '"':
    case '\\':
      out += c;
      return;
    case 'x':
      if (offset_ + 1 < text_.size() && hex_value(text_[offset_]) >= 0 &&
          hex_value(text_[offset_ + 1]) >= 0) {
        const int high = hex_value(advance());
        out += static_cast<char>(high * 16 + hex_value(advance()));
        return;
      }
      break;
    default:
      break;
  }
  fail(start, "one of the escapes \\n \\t \\\" \\\\ \\xNN",
       "'\\" + visible(std::string(1, c)) + "'");
}

Lexeme Lexer::scan_symbol() {
  static constexpr std::array<std::string_view, 4> kLong = {"<->", "->", ">=", "<="};
  Lexeme out;
  out.kind = LexemeKind::symbol;
  out.place = here_;
  for (const std::string_view symbol : kLong) {
    if (text_.substr(offset_, symbol.size()) == symbol) {
      for (std::size_t i = 0; i < symbol.size(); ++i) {
        out.text += advance();
      }
      return out;
    }
  }
  out.text = advance();
  if (std::string_view("{}()[],;:=<>!|&\\/$*+-").find(out.text[0]) == std::string_view::npos) {
    fail(out.place, "a name, number, string or operator", shown(out));
  }
  return out;
}

Lexeme Lexer::take() {
  Lexeme out = next_;
  recorded_.push_back(out);
  if (out.kind != LexemeKind::end) {
    next_ = scan();
  }
  return out;
}

bool Lexer::at(std::string_view symbol_or_word) const {
  return (next_.kind == LexemeKind::symbol || next_.kind == LexemeKind::identifier) &&
         next_.text == symbol_or_word;
}

bool Lexer::accept(std::string_view symbol_or_word) {
  if (!at(symbol_or_word)) {
    return false;
  }
  take();
  return true;
}

Place Lexer::expect(std::string_view symbol_or_word) {
  if (!at(symbol_or_word)) {
    fail_here("'" + std::string(symbol_or_word) + "'");
  }
  return take().place;
}

Lexeme Lexer::expect(LexemeKind kind, const std::string& what) {
  if (next_.kind != kind) {
    fail_here(what);
  }
  return take();
}

std::size_t Lexer::expect_integer(const std::string& what) {
  const Lexeme number = expect(LexemeKind::number, what);
  constexpr std::size_t kMost = (std::size_t{1} << 31U) - 1;
  std::size_t value = 0;
  for (const char c : number.text) {
    if (!is_digit(c) || value > (kMost - static_cast<std::size_t>(c - '0')) / 10) {
      fail(number.place, what + ", a whole number below 2^31", shown(number));
    }
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

std::string Lexer::take_regex() {
  const Place start = next_.place;
  std::string out;
  while (true) {
    if (done() || text_[offset_] == '\n' || out.size() > 256) {
      fail(start, "a regular expression of at most 256 characters between '/' and '/'",
           done() ? "the end of the file" : "'/" + shortened(out) + "'");
    }
    const char c = advance();
    if (c == '/') {
      break;
    }
    out += c;
    if (c == '\\' && !done() && text_[offset_] != '\n') {
      out += advance();
    }
  }
  next_ = scan();
  return out;
}

namespace {

/// Words that a bracket after them does not belong to.
bool stands_apart(const std::string& word) {
  static constexpr std::array<std::string_view, 9> kWords = {
      "U", "W", "R", "M", "before", "after", "between", "and", "until"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

std::string canonical_text(const std::vector<Lexeme>& lexemes) {
  static constexpr std::string_view kTightAfter = "([!";
  static constexpr std::string_view kTightBefore = ")],";
  std::string out;
  bool in_bounds = false;
  for (std::size_t i = 0; i < lexemes.size(); ++i) {
    const Lexeme& lexeme = lexemes[i];
    const bool symbol = lexeme.kind == LexemeKind::symbol;
    bool space = i > 0;
    if (space) {
      const Lexeme& before = lexemes[i - 1];
      const bool after_symbol = before.kind == LexemeKind::symbol;
      const bool call = symbol && lexeme.text == "(" &&
                        ((before.kind == LexemeKind::identifier && !stands_apart(before.text)) ||
                         (after_symbol && before.text == "]"));
      const bool opens_bounds = symbol && lexeme.text == "[";
      const bool tight_after = after_symbol && before.text.size() == 1 &&
                               kTightAfter.find(before.text) != std::string_view::npos;
      const bool tight_before = symbol && lexeme.text.size() == 1 &&
                                kTightBefore.find(lexeme.text) != std::string_view::npos;
      space = !call && !opens_bounds && !tight_after && !tight_before && !in_bounds;
    }
    if (symbol && (lexeme.text == "[" || lexeme.text == "]")) {
      in_bounds = lexeme.text == "[";
    }
    out += (space ? " " : "") + lexeme.text;
  }
  return out;
}

}  // namespace assay::spec
