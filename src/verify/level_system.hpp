#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/automata/hoa.hpp"
#include "assay/spec/dfa.hpp"
#include "assay/spec/spec.hpp"
#include "level_row.hpp"

namespace assay::verify {

/// What one letter on one edge does: comparisons to split on, then a move of all levels.
struct LevelNode {
  Row split;  ///< inner nodes: `yes` has it, `no` its negation
  std::unique_ptr<const LevelNode> yes, no;
  std::size_t to = 0;        ///< leaves: a control
  std::vector<Form> update;  ///< leaves: the values after it, by those before it

  [[nodiscard]] bool is_leaf() const { return yes == nullptr; }
};

struct LevelBranch {
  std::size_t edge = 0;    ///< of the machine
  std::size_t letter = 0;  ///< over LevelSystem::letter_atoms
  std::unique_ptr<const LevelNode> root;
};

/// Machine, property and levels together. A control is a pair of a machine state and a state of the
/// property's automaton of bad prefixes; on it the levels hold exact numbers. Controls, branches and
/// splits come in one order, which the checker follows too (docs/certificate-format.md, kind level).
struct LevelSystem {
  struct Control {
    std::size_t state = 0;
    std::uint32_t spec = 0;
    bool bad = false;
    std::vector<LevelBranch> branches;  ///< by edge, then letter; of a bad control none
  };
  std::vector<std::size_t> levels;  ///< indices into Spec::levels; a row's level 0 is levels[0]
  std::vector<Exact> initial;
  std::vector<std::size_t> letter_atoms;  ///< indices into Spec::atoms that the machine gives
  std::vector<Control> controls;          ///< breadth-first
  std::vector<std::size_t> start;
};

/// @param edges those that some run uses, by ascending state. Throws UsageError over 12 aps of letters, 100,000 controls or
/// 1,000,000 leaves, and when the machine lacks an ap.
[[nodiscard]] LevelSystem level_system(const spec::Spec& spec, const spec::FormulaPtr& formula,
                                       const spec::Dfa& dfa, const automata::Hoa& machine,
                                       const std::vector<std::size_t>& edges);

}  // namespace assay::verify
