#include "assumptions.hpp"

#include "case_run.hpp"

namespace assay::certify {

const std::vector<Assumption>& known_assumptions() {
  static const std::vector<Assumption> all = {
      {kReal,
       "Semantics REAL: the network is evaluated in real arithmetic on the stored weights; the "
       "rounding of a float32 deployment is not covered.",
       "semantics", "the deployed kernel's rounding changes which side of a limit a value falls"},
      {kTokens, "Text reaches the model through the listed tokenizer.json.", "scope",
       "another tokenizer, or token ids fed in directly, with another meaning"},
      {kDecoder, "Tokens are drawn by the decoder named in the environment and in the claim.",
       "scope", "another sampler, temperature or min-p, or forced tokens"},
      {kRows,
       "The rows of the data files are the model's activations at the named site on the text "
       "whose digest is listed.",
       "data", "the rows were made in another way; recompute them from model and text"},
      {kDraws,
       "The numbers that draw the runs (Philox 4x32-10 of the plan's seed) are as good as "
       "independent and uniform ones, and nothing of the plan (its seed, runs, horizon, alphas) "
       "was chosen by what came out.",
       "statistics",
       "several plans were drawn (seeds, numbers of runs, alphas) and the most pleasing one was "
       "kept"}};
  return all;
}

}  // namespace assay::certify
