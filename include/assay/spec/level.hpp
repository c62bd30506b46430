#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/base/rational.hpp"

namespace assay::spec {

struct Formula;
struct Spec;

/// Σ coefficient · level + constant, every number exact.
struct LinearForm {
  /// By ascending index into Spec::levels; no coefficient is 0.
  std::vector<std::pair<std::size_t, Rational>> terms;
  Rational constant;
};

/// A number that every letter moves. Cases are tried in order, the last one has no guard; guards and
/// updates read the values before the letter, and all levels move at once.
struct Level {
  struct Case {
    std::shared_ptr<const Formula> guard;  ///< aps, !, &, |, ->, <->; null: else
    std::string guard_text;
    LinearForm to;
  };
  std::string name;
  Rational initial;
  std::optional<Rational> least, most;  ///< an update that goes beyond stays there
  std::vector<Case> cases;
  std::size_t atoms_before = 0;  ///< how many aps stand above it in the file
};

/// The levels that the formula's atoms compare, and all that those are moved by, ascending.
[[nodiscard]] std::vector<std::size_t> levels_of(const Spec& spec,
                                                 const std::shared_ptr<const Formula>& formula);
/// "heat starts at 0; when Digit it becomes 0.9*heat + 1, else 0.9*heat."
[[nodiscard]] std::string level_sentence(const Spec& spec, const Level& level);

}  // namespace assay::spec
