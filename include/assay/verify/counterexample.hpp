#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// A run that somebody says decides a property: of `all` it violates it, of `some` it satisfies it.
struct Counterexample {
  std::string property;
  std::vector<TokenId> prompt, tokens;
  std::size_t loop = 0;  ///< the last so many tokens come again for ever; 0: a run with an end
};

/// What a file says, and what it says of the decoder ("" when nothing).
struct Counterexamples {
  std::vector<Counterexample> runs;
  std::string decoder;  ///< in a statement's words, "min-p 1/10 temperature 1 order after"
};

/// From what `assay check --json`, `assay attack --json` or `threshold --json` printed, or from a certificate's WITNESS and
/// LASSO lines. Throws InputError for another file and for tokens that the model does not have.
[[nodiscard]] Counterexamples read_counterexamples(const std::string& text, const std::string& file,
                                                   std::size_t vocabulary);

/// A statement's words for a decoder, read back. Throws InputError.
[[nodiscard]] automata::Emission emission_of(const std::string& words, const spec::Spec& spec,
                                             std::size_t vocabulary, const std::string& file);

/// `assay-runs 1`: decoder, prompts and horizon of the input are set. Throws InputError unless the statement is what they
/// would be written as.
void read_runs(const std::string& text, const std::string& file, ExactInput& input);

/// Walks the run through the model (WITNESS): every token surely in the decoder's support, every atom decided, and the
/// property false at the end; of a loop, once round more than the window is long, and the property false of the endless run.
/// The prompt must be one of the input's, unless these are not known (no sets and no length).
struct Replayed {
  std::optional<Violated> run;  ///< as far as it reproduces what is claimed; of a loop, unrolled
  std::string reason;           ///< why not, when not
};
[[nodiscard]] Replayed replay_counterexample(const ExactInput& input, const Counterexample& run);

}  // namespace assay::verify
