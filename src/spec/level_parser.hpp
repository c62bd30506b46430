#pragma once

#include <string>
#include <vector>

#include "formula_parser.hpp"
#include "lexer.hpp"

namespace assay::spec {

/// `level` declarations and the linear forms in them and in aps (docs/spec-language.md).
class LevelParser {
 public:
  LevelParser(Lexer& lexer, FormulaParser& formulas, Spec& spec)
      : lexer_(lexer), formulas_(formulas), spec_(spec) {}

  /// What follows `level NAME`; adds the level.
  void declare(const Lexeme& name);
  /// What follows `move`: the cases of a level declared without, which may read aps about it.
  void move();
  /// At the end of the file: every level has cases.
  void finish() const;
  /// A form may begin here: a level's name or a number.
  [[nodiscard]] bool is_form() const;
  /// The left side of a comparison: at least one level, no constant.
  LinearForm compared_form();
  [[nodiscard]] std::vector<std::string> names_and(std::vector<std::string> words) const;

 private:
  void cases(std::size_t level);
  Level::Case one_case();
  LinearForm form();
  void term(LinearForm& out, bool minus);
  Rational number(const std::string& what);
  [[nodiscard]] const Level* find(const std::string& name) const;

  Lexer& lexer_;
  FormulaParser& formulas_;
  Spec& spec_;
};

}  // namespace assay::spec
