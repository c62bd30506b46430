#pragma once

#include <string>

#include "spec.hpp"
#include "spec_ltl.hpp"
#include "spec_tokens.hpp"

namespace assay_check {

/// The `level` declarations of a spec, and the linear forms that aps compare.
class SpecLevels {
 public:
  SpecLevels(SpecTokens& tokens, LtlParser& ltl, Spec& spec)
      : tokens_(tokens), ltl_(ltl), spec_(spec) {}

  /// = DEC [ min DEC ] [ max DEC ] [ cases ], cases = { when ltl : form } else form
  void read(const std::string& name);
  /// ID cases, of a level that has none.
  void move();
  /// Every level has cases.
  void finish() const;
  /// A form begins here.
  [[nodiscard]] bool is_form() const;
  /// Σ coefficient · level, at least one level and no constant.
  [[nodiscard]] LevelTerms compared();

 private:
  [[nodiscard]] Exact number();
  void cases(std::size_t level);
  [[nodiscard]] SpecLevel::Case one_case();
  [[nodiscard]] LevelForm form();
  void term(LevelForm& out, bool minus, bool& has_constant);
  /// Spec::levels.size() when there is none.
  [[nodiscard]] std::size_t find(std::string_view name) const;
  [[nodiscard]] bool is_boolean(FormulaId f) const;

  SpecTokens& tokens_;
  LtlParser& ltl_;
  Spec& spec_;
};

}  // namespace assay_check
