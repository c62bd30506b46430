#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "assay/automata/hoa.hpp"
#include "assay/spec/spec.hpp"

namespace assay::smt {
struct LevelProblem;
}  // namespace assay::smt

namespace assay::verify {

/// What is tried, in this order, and how long. 0 leaves an engine out.
struct LevelEffort {
  std::size_t points = 20000;             ///< pairs of control and numbers enumerated at most
  std::size_t induction = 6;              ///< 1-induction, then k-induction up to this k
  std::size_t depth = 64;                 ///< of bounded model checking, by Z3
  bool spacer = true;                     ///< its model is a candidate only
  bool careless_spacer = false;           ///< with Z3's default options: for comparison
  unsigned solver_resources = 200000000;  ///< Z3's rlimit, the same on every machine
  int solver_seconds = 20;                ///< a hard kill of each child process
  bool second_opinion = false;            ///< ask Z3 about every obligation of an invariant
  /// Called with name and SMT-LIB2 text of each obligation, whose unsatisfiability is the claim; may be empty.
  std::function<void(const std::string&, const std::string&)> dump = {};
  /// In Z3's place (smt::LevelLimits): what stands here may lie, hang or die.
  std::function<std::string(const std::string&, const smt::LevelProblem&)> instead = {};
};

/// A property about levels, decided on a given machine in exact rational numbers.
struct LevelResult {
  enum class Verdict { holds, violated, unknown };
  Verdict verdict = Verdict::unknown;
  std::string engine;  ///< "enumeration", "1-induction", "3-induction", "bounded search", "Spacer"
  std::string reason;  ///< unknown: why
  struct Step {
    std::size_t state = 0;            ///< the machine's state after it
    std::vector<std::string> shown;   ///< the aps of the letter that are true
    std::vector<std::string> values;  ///< [levels] after it, exact
  };
  std::vector<std::string> levels, aps;  ///< names
  std::vector<Step> run;                 ///< violated: computed anew from the start
  std::size_t controls = 0, points = 0, cells = 0;
  /// Lines of a certificate of kind level that conclude it; empty unless it holds.
  std::string proof;
  std::size_t proof_steps = 0;
  /// Z3's of the obligations: "agree", "disagree", "unknown", "not_built"; empty: not asked. It changes no verdict.
  std::string solver, opinion, opinion_detail;
};

/// The property compares a level.
[[nodiscard]] bool reads_levels(const spec::Spec& spec, const spec::Property& property);

/// @pre reads_levels. `all φ` with a safety formula φ on a machine of infinite runs; everything else is unknown. HOLDS only
/// with an invariant whose every step is shown by exact multipliers (LEVEL-INV), VIOLATED only with a run
/// computed anew; no verdict of Z3 is taken.
///
/// Throws UsageError when the machine has no run, or lacks an ap that the property or a level reads.
[[nodiscard]] LevelResult decide_levels(const spec::Spec& spec, const spec::Property& property,
                                        const automata::Hoa& machine, const LevelEffort& effort);

/// `assay-cert 1`, kind level, of the results that hold; empty when none does.
[[nodiscard]] std::string level_certificate(const std::string& machine_sha,
                                            const std::string& statement_sha,
                                            const std::vector<LevelResult>& results);

}  // namespace assay::verify
