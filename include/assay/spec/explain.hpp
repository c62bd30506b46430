#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "assay/spec/acceptor.hpp"
#include "assay/spec/spec.hpp"

namespace assay::spec {

/// The property as a sentence: scope, condition, component, shall, response, timing (the order of
/// FRETish). Names of aps stay names; lets are read through.
[[nodiscard]] std::string sentence(const Spec& spec, const Property& property);

struct Explanation {
  std::string sentence;
  std::vector<std::string> aps;    ///< names, bit i of a letter
  Acceptor acceptor;               ///< LTLf, minimal
  std::size_t monitor_states = 0;  ///< of the bad-prefix automaton, runs that never end
  bool safety = false;
  bool monitorable = false;
  std::optional<Letters> hopeless;            ///< after it nothing is ever decided
  std::optional<Letters> accepted, rejected;  ///< shortest runs
  std::vector<std::string> vacuous;           ///< sentences; empty: every ap matters

  [[nodiscard]] bool is_valid() const { return !rejected; }
  [[nodiscard]] bool is_unsatisfiable() const { return !accepted; }
};

/// Throws UsageError over the automaton's limits.
[[nodiscard]] Explanation explain(const Spec& spec, const Property& property);

/// Claims `all` of one file that no run of one or more letters satisfies together: every pair, and
/// the whole when no pair shows it. Sentences; empty: consistent. What is over a limit is said.
[[nodiscard]] std::vector<std::string> inconsistencies(
    const std::vector<const Property*>& properties);

/// "Harm, no Tool; no Harm, Tool": a run in words.
[[nodiscard]] std::string run_text(const Letters& run, const std::vector<std::string>& aps);

}  // namespace assay::spec
