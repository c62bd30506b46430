#pragma once

#include <string>
#include <vector>

#include "assay/automata/closure_safety.hpp"
#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A property read on a closed suffix machine. SIM (docs/theorems.md): what no path violates, no run does; the machine's
/// missing edges rest on bounds in double with their radius, which `assay-check` does not see.
struct ClosedProperty {
  enum class Verdict { holds, violated, unknown };
  std::string name;
  Verdict verdict = Verdict::unknown;
  std::vector<ExactViolated> run;  ///< of `violated`: one, replayed in intervals
  std::string reason, missing;     ///< of `unknown`
  std::size_t pairs = 0;           ///< of machine and property states
  std::size_t bad_edges = 0,
              bad_open = 0;  ///< edges on which the property turns bad; those not witnessed
  std::string expected;

  /// "numeric only" for what holds, PROVED for a replayed run, "" for UNKNOWN.
  [[nodiscard]] const char* level() const;
  [[nodiscard]] const char* verdict_name() const;
};

/// What is known of the spec's aps at each token: those about tokens are decided, features and readouts are not.
[[nodiscard]] std::vector<automata::Letter> token_letters(const CheckInput& input);

/// Every property asked for. @pre the graph is complete, of the model, `emission` and `prompts`.
[[nodiscard]] std::vector<ClosedProperty> check_closed(const CheckInput& input,
                                                       const automata::Emission& emission,
                                                       const PromptSet& prompts,
                                                       const automata::ClosedGraph& graph);

[[nodiscard]] ExitCode closed_code(const std::vector<ClosedProperty>& properties);

}  // namespace assay::verify
