#include "assay/automata/fit.hpp"

#include <algorithm>
#include <map>

#include "assay/automata/partition.hpp"
#include "assay/automata/sampler.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "trace.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kPilotRuns = 100;
constexpr double kDensest = 0.2;  ///< a feature on more than every fifth token names nothing

void check_options(const FitInput& in) {
  require(in.model != nullptr && in.sae != nullptr && in.tokenizer != nullptr &&
              in.documents != nullptr,
          "fit_automaton: model, sae, tokenizer and documents are needed");
  const auto positive = [](std::size_t value, std::size_t most, const char* name) {
    if (value == 0 || value > most) {
      throw UsageError(std::string("automaton: ") + name + ": expected 1 … " +
                       std::to_string(most) + ", found " + std::to_string(value));
    }
  };
  positive(in.runs, 1000000, "runs");
  positive(in.max_new, 100000, "max-new");
  positive(in.prompt_length, 100000, "prompt length");
  positive(in.max_states, 1000000, "max-states");
  if (in.tokenizer->size() != in.model->config.d_vocab) {
    throw InputError("tokenizer.json", "vocab",
                     "d_vocab = " + std::to_string(in.model->config.d_vocab) + " entries",
                     std::to_string(in.tokenizer->size()));
  }
}

/// Windows of held-out documents, drawn uniformly and independently.
class PromptSource {
 public:
  explicit PromptSource(const FitInput& in) : length_(in.prompt_length) {
    for (const Document& document : *in.documents) {
      if (part_of(document) == Part::held_out) {
        std::vector<TokenId> tokens = in.tokenizer->encode(document.text);
        if (tokens.size() >= length_) {
          windows_ += tokens.size() - length_ + 1;
          documents_.push_back(std::move(tokens));
        }
      }
    }
    if (windows_ == 0) {
      throw InputError("text: expected a held-out document of at least " + std::to_string(length_) +
                       " tokens, found none (parts are drawn by document: give more documents)");
    }
  }

  [[nodiscard]] std::vector<TokenId> draw(Random& random) const {
    std::uint64_t window = random.below(windows_);
    for (const auto& tokens : documents_) {
      const std::size_t here = tokens.size() - length_ + 1;
      if (window < here) {
        const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(window);
        return {begin, begin + static_cast<std::ptrdiff_t>(length_)};
      }
      window -= here;
    }
    throw PreconditionError("prompt source: a window beyond the last");
  }

 private:
  std::size_t length_;
  std::uint64_t windows_ = 0;
  std::vector<std::vector<TokenId>> documents_;
};

struct Run {
  std::vector<TokenId> prompt, tokens;  ///< tokens: prompt and what was sampled after it
  Trace trace;
};

std::vector<Run> draw_runs(const FitInput& in, const PromptSource& prompts, const Sampler& sampler,
                           const TraceReader& reader, std::uint64_t seed, std::size_t runs,
                           const char* what) {
  Progress progress(what, runs);
  Random seeds(seed);
  std::vector<Run> drawn;
  for (std::size_t i = 0; i < runs; ++i) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "automaton: stopped by the user");
    }
    Random random(seeds.next());
    Run run;
    run.prompt = prompts.draw(random);
    run.tokens = sampler.run(in.decoder, run.prompt, in.max_new, random);
    run.trace = reader.read(run.tokens, run.prompt.size());
    if (!run.trace.empty()) {
      drawn.push_back(std::move(run));
    }
    progress.update(i + 1);
  }
  return drawn;
}

std::vector<StateFeature> candidates(const features::CardSet& cards, std::size_t most) {
  std::vector<StateFeature> found;
  for (const features::FeatureCard& card : cards.cards) {
    if (card.density <= kDensest && card.p99 > 0 && found.size() < most) {
      found.push_back({card.feature, card.name, card.p99});
    }
  }
  return found;
}

/// Merges the least visited dominant feature of the pilot into "none" until at most `most`
/// states are left, or no feature is.
std::vector<bool> kept_features(const std::vector<Run>& pilot, std::size_t features,
                                std::size_t most) {
  std::map<StateKey, std::uint64_t> visits;
  std::vector<std::uint64_t> weight(features, 0);
  for (const Run& run : pilot) {
    for (const StateKey& key : run.trace) {
      ++visits[key];
      if (key.feature >= 0) {
        ++weight[static_cast<std::size_t>(key.feature)];
      }
    }
  }
  std::vector<bool> kept(features, true);
  for (std::size_t left = features; visits.size() > most && left > 0; --left) {
    std::size_t rarest = features;
    for (std::size_t f = 0; f < features; ++f) {
      if (kept[f] && (rarest == features || weight[f] < weight[rarest])) {
        rarest = f;
      }
    }
    kept[rarest] = false;
    std::map<StateKey, std::uint64_t> merged;
    for (const auto& [key, count] : visits) {
      StateKey to = key;
      to.feature = key.feature == static_cast<std::int64_t>(rarest) ? -1 : key.feature;
      merged[to] += count;
    }
    visits = std::move(merged);
  }
  return kept;
}

void merge_features(const std::vector<bool>& kept, std::vector<Run>& runs) {
  for (Run& run : runs) {
    for (StateKey& key : run.trace) {
      if (key.feature >= 0 && !kept[static_cast<std::size_t>(key.feature)]) {
        key.feature = -1;
      }
    }
  }
}

std::string state_name(const StateKey& key, const FitResult& result,
                       const std::vector<StateFeature>& all, const AtomReader& atoms) {
  const features::NamedTokens& block = result.blocks[key.block];
  std::string name = block.name;
  if (key.feature >= 0) {
    const StateFeature& f = all[static_cast<std::size_t>(key.feature)];
    name.append(" · f").append(std::to_string(f.feature.at())).append(" ").append(f.name);
  }
  // Atoms that the tokens alone do not decide.
  const std::uint64_t of_tokens = atoms.token_atoms()[block.tokens.front().at()];
  std::string measured;
  for (std::size_t i = 0; i < atoms.names().size(); ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    if ((key.letter.may & ~of_tokens & bit) != 0) {
      measured.append(measured.empty() ? "" : " ").append(atoms.names()[i]);
      measured.append((key.letter.must & bit) != 0 ? "" : "?");
    }
  }
  return measured.empty() ? name : name + " [" + measured + "]";
}

std::map<StateKey, StateId> number_states(const std::vector<Run>& runs) {
  std::map<StateKey, StateId> ids;
  for (const Run& run : runs) {
    for (const StateKey& key : run.trace) {
      ids.emplace(key, StateId{});
    }
  }
  std::size_t next = 0;
  for (auto& [key, id] : ids) {
    id = StateId(next++);
  }
  return ids;
}

/// Counts of states, initial states and edges, and the first-visit counts beside them.
void count(const std::vector<Run>& runs, const std::map<StateKey, StateId>& ids,
           FitResult& result) {
  FittedAutomaton& a = result.automaton;
  std::map<StateId, std::uint64_t> initial, first_of_state;
  std::map<std::pair<StateId, StateId>, FirstVisits> edges;
  std::map<std::pair<StateId, StateId>, std::uint64_t> counts;
  for (const Run& run : runs) {
    std::vector<StateId> path;
    for (const StateKey& key : run.trace) {
      path.push_back(ids.at(key));
      ++a.states[path.back().at()].count;
    }
    ++initial[path.front()];
    std::vector<bool> seen(a.states.size(), false);
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      const std::pair edge(path[i], path[i + 1]);
      ++counts[edge];
      if (!seen[path[i].at()]) {
        seen[path[i].at()] = true;
        ++first_of_state[path[i]];
        ++edges[edge].taken;
      }
    }
  }
  a.initial.assign(initial.begin(), initial.end());
  for (const auto& [edge, n] : counts) {
    a.edges.push_back({edge.first, edge.second, n});
    FirstVisits first = edges[edge];
    first.visits = first_of_state[edge.first];
    first.interval = clopper_pearson(first.taken, first.visits, {1, 20});
    result.first_visits.push_back(first);
  }
}

void add_samples(std::vector<Run>& runs, FittedAutomaton& a) {
  std::map<std::vector<TokenId>, std::size_t> index;
  for (Run& run : runs) {
    const auto [it, fresh] = index.emplace(run.prompt, a.prompts.size());
    if (fresh) {
      a.prompts.push_back(run.prompt);
    }
    a.sample_prompts.push_back(it->second);
    a.samples.push_back(std::move(run.tokens));
  }
}

void fill_automaton(const FitInput& in, const AtomReader& atoms,
                    const std::vector<StateFeature>& all, std::vector<Run>& runs,
                    FitResult& result) {
  FittedAutomaton& a = result.automaton;
  a.aps = atoms.names();
  a.decoder = in.decoder;
  a.max_new = in.max_new;
  a.runs = runs.size();
  a.seed = in.seed;
  const std::map<StateKey, StateId> ids = number_states(runs);
  for (const auto& [key, id] : ids) {
    FittedState state;
    state.name = state_name(key, result, all, atoms);
    state.token_block = result.blocks[key.block].name;
    if (key.feature >= 0) {
      const FeatureId feature = all[static_cast<std::size_t>(key.feature)].feature;
      state.feature = static_cast<std::int64_t>(feature.at());
    }
    state.must = key.letter.must;
    state.may = key.letter.may;
    a.states.push_back(std::move(state));
  }
  count(runs, ids, result);
  add_samples(runs, a);
  result.shapes = find_shapes(a);
}

}  // namespace

FitResult fit_automaton(const FitInput& in) {
  check_options(in);
  features::check_fits(*in.model, *in.sae);
  const AtomReader atoms(in.specs, *in.model, *in.sae, in.readouts);
  const PromptSource prompts(in);
  FitResult result;
  result.model = in.model->weights_digest;
  result.sae = in.sae->weights_digest;
  result.text = corpus_digest(*in.documents);
  result.blocks = token_partition(features::standard_classes(*in.tokenizer), atoms.token_atoms(),
                                  atoms.names(), in.tokenizer);
  result.cards =
      features::make_cards(*in.model, *in.sae, in.tokenizer,
                           features::part_sequences(*in.model, *in.tokenizer, *in.documents,
                                                    Part::held_out, in.card_tokens));
  const std::vector<StateFeature> all = candidates(result.cards, in.features);
  const Sampler sampler(*in.model);
  const TraceReader reader(*in.model, *in.sae, atoms, result.blocks, all);

  // Two streams of seeds that have nothing to do with each other: pilot and counted runs.
  Random master(in.seed);
  const std::uint64_t pilot_seed = master.next(), seed = master.next();
  const std::vector<Run> pilot = draw_runs(in, prompts, sampler, reader, pilot_seed,
                                           std::min(kPilotRuns, in.runs), "pilot runs");
  const std::vector<bool> kept = kept_features(pilot, all.size(), in.max_states);
  std::vector<Run> runs = draw_runs(in, prompts, sampler, reader, seed, in.runs, "runs");
  if (runs.empty()) {
    throw InputError("automaton: every run ended before its first token");
  }
  merge_features(kept, runs);
  for (std::size_t f = 0; f < all.size(); ++f) {
    if (kept[f]) {
      result.features.push_back(all[f]);
    }
  }
  result.merged_features = all.size() - result.features.size();
  fill_automaton(in, atoms, all, runs, result);
  if (in.causal != 0 && can_ablate(*in.sae)) {
    std::vector<FeatureId> features;
    for (const StateFeature& feature : result.features) {
      features.push_back(feature.feature);
    }
    result.causal = causal_graph(result.automaton, *in.model, *in.sae, std::move(features),
                                 in.causal, master.next());
  }
  return result;
}

}  // namespace assay::automata
