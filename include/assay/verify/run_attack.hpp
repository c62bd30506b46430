#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A search for a run that violates a property, meant to be aimed at one that HOLDS. Steps bound the
/// work; seconds are a safety stop.
struct AttackInput {
  CheckInput subject;  ///< spec (resolved), a model of one layer, dictionaries and readouts
  automata::Emission emission;
  PromptSet prompts;
  std::optional<std::size_t> max_new;  ///< of the statement; none: runs of any length
  std::size_t length = 24;             ///< tokens generated in one try, at most max_new
  std::size_t steps = 1'000'000;       ///< contexts evaluated for one property at most
  double seconds = 0;                  ///< 0: none; what it ends is not reproducible
  std::uint64_t seed = 1;
};

struct AttackResult {
  std::string name;
  std::string skipped;  ///< why it was not attacked; else empty
  std::size_t steps = 0, tries = 0;
  std::size_t brinks = 0;  ///< contexts met from which one token more would be bad
  std::size_t ties = 0;    ///< violating runs that did not replay in intervals
  /// Of the best brink: nats by which the best bad token misses the decoder's cut (negative), for decoders that cut
  /// by differences of logits.
  std::optional<double> nearest;
  std::vector<TokenId> nearest_prompt, nearest_run;
  std::optional<Violated> violated;  ///< replayed (WITNESS)
  std::vector<TokenId> prompt;       ///< of the violation
  double seconds = 0;
};

/// Guided sampling to the brink. A try draws a prompt of the set and then tokens from the decoder's support, evenly but
/// for a preference for tokens that bring the property's monitor nearer to a bad state; the tries that came
/// nearest are kept, and half of the tries are these with some prompt tokens changed. What it does not find may still exist.
/// Deterministic from the seed when no second stops it. Throws UsageError for an unknown property.
[[nodiscard]] std::vector<AttackResult> attack_runs(const AttackInput& input);

/// The statement `assay-runs 1` about the input's prompts, decoder and horizon.
[[nodiscard]] std::string runs_statement(const AttackInput& input);

}  // namespace assay::verify
