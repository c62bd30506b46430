#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/automata/hoa.hpp"
#include "assay/spec/dfa.hpp"

namespace assay::automata {

/// A machine whose every step reads one letter, with nothing left to choose but the step: what the
/// formats of other people's model checkers hold. Its runs are endless.
struct StepMachine {
  struct Step {
    std::uint32_t letter = 0;  ///< bit i is the truth of aps[i]
    std::uint32_t to = 0;
    auto operator<=>(const Step&) const = default;
  };
  std::vector<std::string> aps;
  std::vector<std::vector<Step>> steps;  ///< [states], ascending, each once, none empty
  std::vector<std::uint32_t> initial;    ///< ascending, each once
};

inline constexpr std::size_t kMaxSteps = 2'000'000;

/// The machine as these aps see it: an ap that a label leaves open has both values.
/// @pre every run is accepted, and from every state one goes on. Throws UsageError when an ap is none of the machine's and
/// over kMaxSteps steps.
[[nodiscard]] StepMachine steps_of(const Hoa& machine, const std::vector<std::string>& aps);

/// SMV, as NuSMV and nuXmv read it: `s` is the machine's state, ap_NAME the letter that is read when it is left, and for a
/// safety formula `m` the state of its bad-prefix automaton. Every run satisfies the formula exactly when the LTLSPEC is
/// true; the same of the INVARSPEC, where one is written.
/// @param atoms the names of Spec::atoms. @param monitor null when the formula is not a safety formula.
[[nodiscard]] std::string to_smv(const StepMachine& machine, const spec::FormulaPtr& formula,
                                 const std::vector<std::string>& atoms, const spec::Dfa* monitor,
                                 const std::string& title);

/// Binary AIGER 1.0: machine and monitor as a circuit whose inputs choose the step, whose only output is 1 once a bad prefix
/// was read. Every run satisfies the formula exactly when the output is never 1.
/// @pre bit i of the monitor's letter is machine.aps[i].
[[nodiscard]] std::string to_aiger(const StepMachine& machine, const spec::Dfa& monitor,
                                   const std::string& title);

/// For Graphviz: one arrow for the letters that lead from a state to another.
[[nodiscard]] std::string to_dot(const StepMachine& machine, const std::string& title);

}  // namespace assay::automata
