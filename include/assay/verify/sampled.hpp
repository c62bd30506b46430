#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/automata/binomial.hpp"
#include "assay/automata/emission.hpp"
#include "assay/model/deep_model.hpp"
#include "assay/model/sampling.hpp"
#include "assay/verify/check.hpp"
#include "assay/verify/prompt_law.hpp"

namespace assay::verify {

/// A sampling plan and what it is about. Everything is fixed before the first draw.
struct SampleInput {
  CheckInput
      subject;  ///< spec (resolved), statement; model, dictionaries and readouts at one layer
  const DeepModel* model = nullptr;  ///< of any depth
  automata::Emission emission;
  std::string decoder, allow;  ///< the words it was parsed from
  PromptLaw prompts;
  std::size_t runs = 1000;                ///< drawn independently
  std::size_t max_new = 64;               ///< tokens of a run at most
  Rational alpha{1, 100};                 ///< of all properties together
  std::map<std::string, Rational> split;  ///< of a property; the rest is shared evenly
  std::uint64_t seed = 1;
  std::size_t threads = 1;  ///< changes nothing but the time
  std::size_t batch = 64;   ///< runs side by side; changes nothing but the time
  std::size_t kept = 10;    ///< counterexamples of a property that are replayed
};

/// A run that violates a property.
struct Counterexample {
  std::size_t run = 0;
  std::optional<Violated> replayed;  ///< in outward-rounded arithmetic (WITNESS)
  std::string reason;                ///< why not, when not
};

/// What the runs say of one property: the rate of "violated within max_new tokens".
///
///   SAMPLED   k of n runs violate φ, u are not decided  |-  with confidence 1 − alpha, the probability lies between the
///             lower Clopper-Pearson end of k and the upper one of k + u
///
/// Not decided: a letter on a threshold, or a near tie among the run's draws, which rounding settles.
struct SampledProperty {
  std::string name;
  std::string skipped;  ///< why it was not counted; else empty
  std::size_t violated = 0, undecided = 0, holds = 0,
              open = 0;  ///< runs; open: neither within max_new
  Rational alpha;
  automata::Proportion interval;
  std::vector<Counterexample> counterexamples;  ///< the first ones
};

struct SampleResult {
  std::string plan;  ///< JSON, the same bytes for the same plan
  std::vector<SampledRun> runs;
  std::vector<SampledProperty> properties;
  std::size_t tokens = 0,
              near_ties = 0;  ///< near_ties: runs with a draw of less slack than kNearTie
};

/// The share of alpha of every property that is counted, by name. Throws UsageError when the ledger is overdrawn: more
/// than alpha is given away, or nothing is left for a property.
[[nodiscard]] std::map<std::string, Rational> alpha_ledger(const SampleInput& input);
/// All properties are, unless some are named.
[[nodiscard]] bool is_wanted(const SampleInput& input, const std::string& property);
/// Why no rate of this property is counted; empty when one is.
[[nodiscard]] std::string beyond_sampling(const SampleInput& input, const spec::Property& property);

/// The plan in words that can be digested; made before anything is drawn. Throws UsageError as alpha_ledger.
[[nodiscard]] std::string sampling_plan(const SampleInput& input);
/// What draw_side_by_side needs of the plan.
[[nodiscard]] DrawPlan draw_plan(const SampleInput& input);
/// The prompts of the plan's runs.
/// Throws InputError when a run would not fit into the model.
[[nodiscard]] std::vector<std::vector<TokenId>> plan_prompts(const SampleInput& input);
/// The runs of the plan, by the reference forward pass. Throws as plan_prompts, and Error(ExitCode::interrupted).
[[nodiscard]] std::vector<SampledRun> draw_runs(const SampleInput& input);
/// The same after its first runs, which are `begun`; when interrupted, the runs up to the first that is not finished.
[[nodiscard]] std::vector<SampledRun> continue_runs(const SampleInput& input,
                                                    std::vector<SampledRun> begun);
/// Counts, intervals and replayed counterexamples of given runs.
[[nodiscard]] SampleResult count_runs(const SampleInput& input, std::vector<SampledRun> runs);

/// The result in words, for people.
[[nodiscard]] std::string sample_text(const SampleInput& input, const SampleResult& result);

}  // namespace assay::verify
