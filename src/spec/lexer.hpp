#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "assay/spec/spec.hpp"

namespace assay::spec {

enum class LexemeKind { end, identifier, number, string, symbol };

struct Lexeme {
  LexemeKind kind = LexemeKind::end;
  std::string text;  ///< of a string: its bytes, escapes undone
  Place place;
};

/// Cuts a .spec text into lexemes, one ahead, and words every syntax error.
class Lexer {
 public:
  Lexer(std::string_view text, std::string file);

  [[nodiscard]] const Lexeme& peek() const { return next_; }
  Lexeme take();
  [[nodiscard]] bool at(std::string_view symbol_or_word) const;
  /// Takes the symbol or word when it is next.
  bool accept(std::string_view symbol_or_word);
  Place expect(std::string_view symbol_or_word);
  Lexeme expect(LexemeKind kind, const std::string& what);
  /// A decimal number without sign below 2^31.
  std::size_t expect_integer(const std::string& what);
  /// The lexeme that is next is the `/` of a regular expression: its text, escapes untouched.
  std::string take_regex();

  /// Every lexeme taken since is noted, for the canonical text of a formula.
  void start_recording() { recorded_.clear(); }
  [[nodiscard]] const std::vector<Lexeme>& recorded() const { return recorded_; }

  /// @param fix what to write instead; where it is empty, a known habit's fix is looked for.
  [[noreturn]] void fail(Place place, const std::string& expected, const std::string& found,
                         const std::string& fix = "") const;
  /// Fails at the next lexeme.
  [[noreturn]] void fail_here(const std::string& expected, const std::string& fix = "") const;
  /// The next lexeme is none of the words: says which of them is near.
  [[noreturn]] void fail_words(const std::string& expected,
                               const std::vector<std::string>& words) const;

 private:
  [[nodiscard]] bool done() const { return offset_ >= text_.size(); }
  char advance();
  void skip_blank();
  Lexeme scan();
  Lexeme scan_string();
  void scan_escape(std::string& out, Place start);
  Lexeme scan_symbol();

  std::string_view text_;
  std::string file_;
  std::size_t offset_ = 0;
  Place here_{1, 1};
  Lexeme next_;
  std::vector<Lexeme> recorded_;
};

/// How a person reads the lexeme in an error message.
[[nodiscard]] std::string shown(const Lexeme& lexeme);
/// The lexemes of a formula, joined with canonical spacing.
[[nodiscard]] std::string canonical_text(const std::vector<Lexeme>& lexemes);

}  // namespace assay::spec
