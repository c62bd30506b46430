#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/automata/hoa.hpp"
#include "assay/spec/spec.hpp"

namespace assay::verify {

/// One step of a run of a given machine.
struct GivenStep {
  std::size_t state = 0;   ///< the machine's state after it
  std::size_t letter = 0;  ///< over GivenResult::aps
};

/// A property decided on a machine that the user gives. It speaks of that machine alone.
struct GivenResult {
  enum class Verdict { holds, violated, unknown };
  std::string name, claim;
  Verdict verdict = Verdict::unknown;
  std::string reason;            ///< unknown: why
  std::vector<std::string> aps;  ///< bit i of a letter
  /// A run that decides it: against an `all` that is violated, for a `some` that holds.
  std::vector<GivenStep> run;
  std::size_t loop =
      0;  ///< the last so many steps of the run come again for ever; 0: it is a bad prefix, or finite
  std::vector<std::string> vacuous;  ///< of an `all` that holds: sentences, see spec/vacuity.hpp
  std::size_t pairs = 0;             ///< of machine and property states that were met
};

/// Runs are those of the file: infinite ones that the acceptance lets pass, or with
/// `Finite-words: t` the finite ones. Every formula is decided: of finite runs by its LTLf automaton, of infinite ones by
/// bad prefixes that some accepted run begins with, and where there is none by lassos or ranks (endless_run). Unknown is what
/// every word satisfies (of `some`: none), what is over a limit, and a probability.
///
/// Throws UsageError when an ap of a property is none of the machine's, when the machine has no
/// run at all, or when a property of `names` does not exist.
[[nodiscard]] std::vector<GivenResult> check_given(const spec::Spec& spec,
                                                   const automata::Hoa& machine,
                                                   const std::vector<std::string>& names);

/// The machine beside one property in other tools' formats (write_machine), or why not.
[[nodiscard]] std::vector<std::string> export_given(const spec::Spec& spec,
                                                    const spec::Property& property,
                                                    const automata::Hoa& machine,
                                                    const std::filesystem::path& folder);

/// States that no accepted run can be in: deadlocks, and what leads to nothing else. A path into one is no run, and left out.
[[nodiscard]] std::size_t dead_states(const automata::Hoa& machine);

/// The edges that some accepted infinite run uses, ascending. Throws UsageError when there is none.
[[nodiscard]] std::vector<std::size_t> edges_of_runs(const automata::Hoa& machine);

}  // namespace assay::verify
