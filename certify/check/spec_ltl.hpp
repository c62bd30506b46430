#pragma once

#include <map>
#include <string>
#include <vector>

#include "formula.hpp"
#include "spec_tokens.hpp"

namespace assay_check {

/// Parses the `ltl` part of the grammar into negation normal form and expands lets and
/// patterns. A let is kept as a position in the file and parsed again at each use.
class LtlParser {
 public:
  LtlParser(SpecTokens& tokens, Formulas& formulas) : tokens_(tokens), formulas_(formulas) {}

  /// `atoms` gets bit i when atom i occurs in the formula, lets and patterns expanded.
  [[nodiscard]] FormulaId parse(std::uint64_t& atoms);
  void declare_atom(const std::string& name);
  /// Reads `[(params)] = ltl` and remembers it.
  void declare_let(const std::string& name);
  [[nodiscard]] bool is_declared(const std::string& name) const;

 private:
  struct Named {
    FormulaId formula = 0;
    std::uint64_t atoms = 0;
  };
  using Environment = std::map<std::string, Named>;
  struct Let {
    std::vector<std::string> parameters;
    std::size_t body = 0;   ///< token position
    std::size_t order = 0;  ///< a body sees earlier lets only
  };

  FormulaId nested(FormulaId (LtlParser::*rule)());
  FormulaId equivalence();
  FormulaId implication();
  FormulaId disjunction();
  FormulaId conjunction();
  FormulaId binary();
  FormulaId unary();
  FormulaId bounded(Op op);
  FormulaId primary();
  FormulaId named(const std::string& name);
  FormulaId call(const Let& let);
  FormulaId pattern(const std::string& name);
  FormulaId implies(FormulaId a, FormulaId b);
  FormulaId always(FormulaId a);
  std::uint32_t bound();

  SpecTokens& tokens_;
  Formulas& formulas_;
  Environment atoms_, parameters_;
  std::map<std::string, Let> lets_;
  std::size_t visible_ = SIZE_MAX;  ///< lets of a lower order can be named
  std::size_t depth_ = 0, work_ = 0;
  std::uint64_t used_ = 0;  ///< atoms met so far in the formula being read
};

}  // namespace assay_check
