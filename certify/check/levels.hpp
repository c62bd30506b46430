#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formula.hpp"

namespace assay_check {

/// Numbers of levels: exact, of any size.
using Exact = boost::multiprecision::cpp_rational;
using LevelTerms = std::map<std::size_t, Exact>;  ///< by index into Spec::levels; none 0

/// Σ coefficient · level + constant
struct LevelForm {
  LevelTerms terms;
  Exact constant;
};

/// Σ coefficient · level <= bound, or < bound.
struct LevelRow {
  LevelTerms terms;
  Exact bound;
  bool strict = false;

  [[nodiscard]] LevelRow negated() const;
  /// The same of the values after the update, as a row of those before it.
  [[nodiscard]] LevelRow before(const std::map<std::size_t, LevelForm>& update) const;
  [[nodiscard]] bool holds(const std::map<std::size_t, Exact>& values) const;
};

/// terms += factor · more
void add_terms(LevelTerms& terms, const LevelTerms& more, const Exact& factor);

/// A `level` of the spec (docs/spec-language.md).
struct SpecLevel {
  struct Case {
    std::optional<FormulaId> guard;  ///< none: else
    std::uint64_t atoms = 0;         ///< of the guard as written
    LevelForm to;
  };
  std::string name;
  Exact initial;
  std::optional<Exact> least, most;
  std::vector<Case> cases;
};

/// -?digits[/digits], no needless zeros in front. Throws Reject("lexis", …).
[[nodiscard]] Exact parse_exact(std::string_view word);
/// `<|<= BOUND n LEVEL COEFFICIENT …` from words[at] on, which moves past it.
[[nodiscard]] LevelRow parse_row(std::span<const std::string_view> words, std::size_t& at,
                                 std::size_t levels);

}  // namespace assay_check
