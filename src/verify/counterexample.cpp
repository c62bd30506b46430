#include "assay/verify/counterexample.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "assay/automata/exact_forward.hpp"
#include "assay/base/errors.hpp"
#include "assay/spec/buchi.hpp"
#include "assay/spec/formula.hpp"
#include "replay.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

const spec::Property& named(const spec::Spec& spec, const std::string& name) {
  const auto found = std::find_if(spec.properties.begin(), spec.properties.end(),
                                  [&](const spec::Property& p) { return p.name == name; });
  if (found == spec.properties.end()) {
    throw UsageError("property " + name + ": expected one of the spec, found none of that name");
  }
  return *found;
}

/// Of `some φ` a run is told that violates !φ.
spec::FormulaPtr refuted(const spec::Property& property) {
  using Claim = spec::Property::Claim;
  if (property.claim == Claim::all) {
    return property.formula;
  }
  if (property.claim == Claim::some) {
    return spec::negation(property.formula);
  }
  throw UsageError("property " + property.name +
                   ": a bound on a probability is not decided by one run");
}

bool is_prompt(const PromptSet& prompts, const std::vector<TokenId>& tokens) {
  if (prompts.any()) {
    return prompts.max_length == 0 || (!tokens.empty() && tokens.size() <= prompts.max_length);
  }
  bool in = tokens.size() == prompts.sets.size();
  for (std::size_t i = 0; i < tokens.size() && in; ++i) {
    in = std::binary_search(prompts.sets[i].begin(), prompts.sets[i].end(), tokens[i]);
  }
  return in;
}

/// Whether the automaton accepts stem·loop·loop·…: some state at the loop's end comes again after times round through an
/// accepting state.
bool accepts(const spec::Buchi& automaton, const std::vector<std::uint64_t>& stem,
             const std::vector<std::uint64_t>& loop) {
  std::set<std::uint32_t> states(automaton.initial.begin(), automaton.initial.end());
  const auto step = [&](const std::set<std::uint32_t>& from, std::uint64_t letter) {
    std::set<std::uint32_t> out;
    for (const std::uint32_t q : from) {
      const auto& next = automaton.next(q, automaton.project(letter));
      out.insert(next.begin(), next.end());
    }
    return out;
  };
  for (const std::uint64_t letter : stem) {
    states = step(states, letter);
  }
  // once round: (state, whether an accepting one was met)
  using Mark = std::pair<std::uint32_t, bool>;
  const auto round = [&](std::uint32_t from) {
    std::set<Mark> at = {{from, false}};
    for (const std::uint64_t letter : loop) {
      std::set<Mark> next;
      for (const auto& [q, met] : at) {
        for (const std::uint32_t to : automaton.next(q, automaton.project(letter))) {
          next.insert({to, met || automaton.accepting[q]});
        }
      }
      at = std::move(next);
    }
    return at;
  };
  std::set<std::uint32_t> reached = states;
  for (std::vector<std::uint32_t> waiting(states.begin(), states.end()); !waiting.empty();) {
    const std::uint32_t q = waiting.back();
    waiting.pop_back();
    for (const auto& [to, met] : round(q)) {
      if (reached.insert(to).second) {
        waiting.push_back(to);
      }
    }
  }
  for (const std::uint32_t home : reached) {
    std::set<Mark> seen;
    for (std::vector<Mark> waiting = {{home, false}}; !waiting.empty();) {
      const auto [q, met] = waiting.back();
      waiting.pop_back();
      for (const auto& [to, now] : round(q)) {
        if (to == home && (met || now)) {
          return true;
        }
        if (seen.insert({to, met || now}).second) {
          waiting.emplace_back(to, met || now);
        }
      }
    }
  }
  return false;
}

/// The tokens, and of a loop as often as it takes until every window of the last time round is the one of the time before.
std::vector<TokenId> unrolled(const Counterexample& run, std::size_t window) {
  std::vector<TokenId> out = run.tokens;
  const std::vector<TokenId> loop(run.tokens.end() - static_cast<std::ptrdiff_t>(run.loop),
                                  run.tokens.end());
  for (std::size_t length = 0; run.loop > 0 && length < window; length += run.loop) {
    out.insert(out.end(), loop.begin(), loop.end());
  }
  return out;
}

}  // namespace

Replayed replay_counterexample(const ExactInput& input, const Counterexample& run) {
  const CheckInput& subject = input.subject;
  check_digests(subject);
  const spec::FormulaPtr formula = refuted(named(*subject.spec, run.property));
  const std::size_t window = subject.model->config.attention_window;
  if (!is_prompt(input.prompts, run.prompt)) {
    return {std::nullopt, "the prompt is none of those that the claim is about"};
  }
  if (run.loop > 0 && (input.max_new || window == 0)) {
    return {std::nullopt,
            window == 0 ? "a run that goes round for ever needs a model with an attention window"
                        : "runs that end do not go round for ever (--max-new)"};
  }
  if (run.loop > 0) {
    automata::require_exact_family(*subject.model);  // what comes after depends on the window alone
  }
  Candidate candidate;
  candidate.prompt = run.prompt;
  candidate.tokens = unrolled(run, window);
  candidate.is_endless = run.loop > 0;
  candidate.max_new = std::min(input.max_new.value_or(kUnlimited), candidate.tokens.size());
  candidate.surely_emitted = [&input](std::span<const Interval> logits, TokenId token) {
    std::vector<double> lo, hi;
    for (const Interval& l : logits) {
      lo.push_back(l.lo);
      hi.push_back(l.hi);
    }
    std::vector<automata::Edge> edges(logits.size());
    input.emission.decide(lo, hi, edges);
    return edges[token.at()] == automata::Edge::witnessed;
  };
  Replay played = replay(subject, Atoms(subject), formula, candidate);
  if (!played.violated) {
    return {std::nullopt, played.reason};
  }
  if (run.loop > 0) {
    std::vector<std::uint64_t> stem, loop;
    for (std::size_t i = 0; i < played.violated->steps.size(); ++i) {
      (i + run.loop < played.violated->steps.size() ? stem : loop)
          .push_back(played.violated->steps[i].letter);
    }
    if (!accepts(spec::buchi(spec::negation(formula)), stem, loop)) {
      return {std::nullopt, "the endless run does not decide the property as it is said to"};
    }
  }
  return {std::move(played.violated), ""};
}

}  // namespace assay::verify
