#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formula.hpp"
#include "levels.hpp"
#include "lexis.hpp"

namespace assay_check {

struct SpecUse {
  std::string kind, name, sha;  ///< kind: model, sae, readout
};

struct SpecAtom {
  enum class Kind { token, feature, readout, level, other } kind = Kind::token;
  enum class Compare { at_least, above, at_most, below } compare = Compare::above;
  std::string name;
  std::vector<std::size_t> tokens;  ///< sorted; kind token
  std::string use;                  ///< the sae or readout read
  std::size_t feature = 0;
  Fraction threshold, band;
  LevelTerms form;  ///< kind level: what is compared
};

struct SpecProperty {
  std::string name;
  FormulaId formula = 0;    ///< negation normal form, atoms by index into Spec::atoms
  std::uint64_t atoms = 0;  ///< bit i: atom i occurs in the expanded formula as written
  std::string text;         ///< the formula as written
  bool some = false;        ///< `some φ`: formula is ¬φ, and what holds of it is turned round
  bool supported = true;    ///< false: a claim that no rule speaks of, read over
  /// Pmax and Pmin: P(formula) is to be so, for every prompt and every choice of nature.
  struct Chance {
    SpecAtom::Compare compare = SpecAtom::Compare::at_most;
    Fraction probability;
    std::optional<std::size_t> horizon;
  };
  std::optional<Chance> chance;

  [[nodiscard]] std::string claim() const { return (some ? "some " : "all ") + text; }
  /// The first words of a conclusion: `formula` holds of every run, or a run violates it.
  [[nodiscard]] std::string of_all_runs(const std::string& run) const {
    return (some ? "VIOLATED by every " : "HOLDS of every ") + run +
           " of the model (real arithmetic): ";
  }
  [[nodiscard]] std::string by_a_run() const {
    return std::string(some ? "HOLDS of a run of" : "VIOLATED by") +
           " the model (real arithmetic): ";
  }
};

/// A resolved .spec file: ids, feature numbers and digests only (docs/spec-language.md).
struct Spec {
  Formulas formulas;
  std::vector<SpecUse> uses;
  std::vector<SpecLevel> levels;
  std::vector<SpecAtom> atoms;  ///< at most 31
  std::vector<SpecProperty> properties;

  [[nodiscard]] const SpecUse* find_use(const std::string& kind, const std::string& name) const;
};

/// DEC of the specification language: -?digits[.digits], at most 15 digits, exact.
[[nodiscard]] Fraction parse_decimal(std::string_view word);

/// Throws Reject("spec", …) with file and line; strings, regular expressions and rules that
/// are not resolved are refused.
[[nodiscard]] Spec parse_spec(const std::string& text, const std::string& file);

}  // namespace assay_check
