#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lexer.hpp"
#include "patterns.hpp"

namespace assay::spec {

/// Parses `ltl` and expands lets and patterns while it goes. Names are looked up among the
/// parameters, then the aps, then the lets declared so far.
class FormulaParser {
 public:
  explicit FormulaParser(Lexer& lexer) : lexer_(lexer) {}

  void declare_atom(const std::string& name, std::size_t index) { atoms_[name] = index; }
  /// A name that stands for a formula written elsewhere.
  void declare_formula(const std::string& name, FormulaPtr formula) {
    lets_[name] = {0, std::move(formula)};
  }
  /// The body may use `parameters`; its text is returned through `text`.
  void define_let(const std::string& name, const std::vector<std::string>& parameters,
                  std::string& text);
  /// A whole `ltl`; its canonical text through `text`.
  FormulaPtr parse(std::string& text);

 private:
  struct Macro {
    std::size_t arity = 0;
    FormulaPtr body;  ///< parameter i is the atom kParameter + i
  };

  FormulaPtr equivalences();
  FormulaPtr implications();
  FormulaPtr disjunction();
  FormulaPtr conjunction();
  FormulaPtr binary();
  FormulaPtr unary();
  FormulaPtr temporal(char op);
  FormulaPtr primary();
  FormulaPtr named(const Lexeme& name);
  FormulaPtr past(Op op, Place place);
  std::pair<std::size_t, std::optional<std::size_t>> bounds();
  FormulaPtr pattern(const std::string& name, Place place);
  FormulaPtr scoped_pattern(const std::string& name);
  Scope scope();
  FormulaPtr scope_operand();
  FormulaPtr cooldown();
  FormulaPtr run_of();
  std::size_t count(std::size_t least, std::size_t most);
  [[nodiscard]] std::vector<std::string> names() const;
  FormulaPtr call(const Lexeme& name, const Macro& macro);
  FormulaPtr bounded_size(FormulaPtr f, Place place) const;

  Lexer& lexer_;
  std::map<std::string, std::size_t> atoms_;
  std::map<std::string, Macro> lets_;
  std::vector<std::string> parameters_;
  std::size_t depth_ = 0;
};

/// Words that can name no ap, let or parameter.
[[nodiscard]] bool is_reserved(const std::string& word);

}  // namespace assay::spec
