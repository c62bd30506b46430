#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/automata/atoms.hpp"
#include "assay/automata/binomial.hpp"
#include "assay/automata/causal.hpp"
#include "assay/automata/feature_automaton.hpp"
#include "assay/automata/shapes.hpp"
#include "assay/features/cards.hpp"
#include "assay/model/corpus.hpp"

namespace assay::automata {

/// What the empirical feature automaton is fitted from. Pointers are not owned; none may be null.
struct FitInput {
  const Transformer* model = nullptr;
  const Sae* sae = nullptr;
  const Tokenizer* tokenizer = nullptr;
  const std::vector<Document>* documents = nullptr;  ///< prompts and cards use the held-out part
  std::vector<const spec::Spec*> specs;              ///< resolved; may be empty
  std::vector<NamedReadout> readouts;
  Decoder decoder;
  std::size_t runs = 400;
  std::size_t max_new = 64;
  std::size_t prompt_length = 8;
  std::size_t features = 40;     ///< candidates for the dominant feature
  std::size_t max_states = 400;  ///< aim: rare dominant features are merged into none above it
  std::size_t card_tokens = 50000;
  std::size_t causal = 300;  ///< runs of which one context is ablated for causal edges; 0: none
  std::uint64_t seed = 1;
};

/// A feature that can name a state: its values are compared after division by their p99.
struct StateFeature {
  FeatureId feature;
  std::string name;
  double p99 = 1;
};

/// How often an edge was taken at the *first* visit to its source state in a run: at most one
/// trial per state and independently drawn run, so the trials are independent and identically
/// distributed and the Clopper-Pearson interval is exact. Per edge, not simultaneous.
struct FirstVisits {
  std::uint64_t visits = 0;  ///< runs that visit the source state before their last letter
  std::uint64_t taken = 0;   ///< of these, how often the next state is the target
  Proportion interval;       ///< 95 %
};

struct FitResult {
  FittedAutomaton automaton;                  ///< with samples
  std::vector<features::NamedTokens> blocks;  ///< the token partition
  std::vector<StateFeature> features;         ///< that kept their own states
  std::size_t merged_features = 0;            ///< candidates merged into "none" for the cap
  std::vector<FirstVisits> first_visits;      ///< parallel to automaton.edges
  Shapes shapes;
  CausalGraph causal;  ///< between the features above; empty when not asked for, or the
                       ///< dictionary writes a site that cannot be changed
  features::CardSet cards;
  Digest model, sae, text;
};

/// Samples runs and counts. Everything that defines the states (token partition, candidate
/// features, their p99, which of them are merged) is fixed before the counted runs are drawn,
/// from the cards and from a pilot of at most 100 other runs. Throws UsageError (options, specs),
/// InputError (no held-out text of prompt_length tokens) and what AtomReader throws.
[[nodiscard]] FitResult fit_automaton(const FitInput& input);

/// Bytes of automaton.json: the documented keys and features, blocks, firstVisits, shapes.
[[nodiscard]] std::string fit_json(const FitResult& result);
/// Bytes of samples.jsonl: {"prompt":INDEX,"tokens":[tokens after the prompt]} a line.
[[nodiscard]] std::string samples_jsonl(const FittedAutomaton& automaton);

}  // namespace assay::automata
