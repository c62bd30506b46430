#pragma once

#include <optional>

#include "assay/spec/buchi.hpp"
#include "assay/verify/given.hpp"
#include "given_machine.hpp"

namespace assay::verify {

struct GivenLasso {
  std::vector<GivenStep> run;
  std::size_t loop = 0;  ///< the last so many steps come again for ever
};

/// LASSO   a path of machine and automaton and a cycle at its end on which the automaton accepts, and so does the machine
///         |-  an accepted run of the machine is one of the automaton's
/// RANK    numbers that no edge raises and that fall where both accept   |-  no accepted run is
/// Nothing when it is the latter, and then the numbers were found.
/// @param bit_of the machine's ap of each bit of the automaton's letters. @param pairs is set to the pairs met.
/// Throws UsageError over 5,000,000 of them and 50,000,000 edges.
[[nodiscard]] std::optional<GivenLasso> endless_run(const GivenMachine& machine,
                                                    const spec::Buchi& automaton,
                                                    const std::vector<std::size_t>& bit_of,
                                                    std::size_t& pairs);

}  // namespace assay::verify
