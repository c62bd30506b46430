#pragma once

#include <cstddef>
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
  std::size_t pairs = 0;  ///< of machine and property states that were met
};

/// Runs are those of the file: infinite ones that the acceptance lets pass, or with
/// `Finite-words: t` the finite ones. Finite runs are decided for every formula (LTLf). Of infinite
/// runs a bad prefix that some accepted run begins with refutes; a safety formula without one
/// holds; the rest is unknown.
///
/// Throws UsageError when an ap of a property is none of the machine's, when the machine has no
/// run at all, or when a property of `names` does not exist.
[[nodiscard]] std::vector<GivenResult> check_given(const spec::Spec& spec,
                                                   const automata::Hoa& machine,
                                                   const std::vector<std::string>& names);

/// The edges that some accepted infinite run uses, ascending. Throws UsageError when there is none.
[[nodiscard]] std::vector<std::size_t> edges_of_runs(const automata::Hoa& machine);

}  // namespace assay::verify
