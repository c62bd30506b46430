#include "refined_hunt.hpp"

#include <deque>
#include <limits>
#include <map>

#include "assay/base/progress.hpp"
#include "exact_search.hpp"
#include "replay.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMostPaths = 8, kMostSteps = 12, kMostPartialPaths = 4000;
constexpr std::size_t kQuickWalk = 32'768;  // contexts of a quick hunt's walks
constexpr std::size_t kLongWalk = 300'000;
constexpr std::size_t kMetAtOnce = 4;

/// Letters from a state, equal ones apart from the tokens together.
std::vector<std::pair<std::uint32_t, RunStep>> steps_from(std::uint32_t from,
                                                          const RefinedLetters& letters,
                                                          const spec::Dfa& dfa) {
  std::map<std::pair<std::uint32_t, std::size_t>, RunStep> steps;  // by target and measured bits
  std::size_t mask = 0;
  for (const auto& m : letters.measured()) {
    mask |= std::size_t{1} << m.bit;
  }
  for (std::uint32_t t = 0; t < letters.vocabulary(); ++t) {
    for (const std::size_t letter : letters.of(t)) {
      RunStep& step = steps[{dfa.next(from, letter), letter & mask}];
      step.tokens.push_back(t);
      step.shows.clear();
      for (std::size_t i = 0; i < letters.measured().size(); ++i) {
        step.shows.emplace_back(i, ((letter >> letters.measured()[i].bit) & 1U) != 0);
      }
    }
  }
  std::vector<std::pair<std::uint32_t, RunStep>> out;
  out.reserve(steps.size());
  for (auto& [key, step] : steps) {
    out.emplace_back(key.first, std::move(step));
  }
  return out;
}

}  // namespace

RefinedHunt::RefinedHunt(const RefinedInput& input, const Atoms& atoms,
                         const RefinedLetters& letters, const spec::Dfa& dfa,
                         const spec::Property& property, ContextAttack& attack)
    : input_(input),
      atoms_(atoms),
      letters_(letters),
      dfa_(dfa),
      property_(property),
      attack_(attack),
      walks_(input, letters, dfa, attack) {
  find_paths();
}

void RefinedHunt::find_paths() {
  const std::vector<bool> leads = can_turn_bad(dfa_);
  struct Partial {
    std::uint32_t spec;
    std::vector<RunStep> steps;
    std::vector<std::size_t> visits;
  };
  std::deque<Partial> pending = {{0, {}, std::vector<std::size_t>(dfa_.states, 0)}};
  for (std::size_t seen = 0; !pending.empty() && seen < kMostPartialPaths; ++seen) {
    const Partial at = std::move(pending.front());
    pending.pop_front();
    if (at.steps.size() >= kMostSteps || paths_.size() >= kMostPaths) {
      break;
    }
    for (auto& [to, step] : steps_from(at.spec, letters_, dfa_)) {
      if (!leads[to]) {
        continue;
      }
      Partial next = at;
      next.steps.push_back(step);
      if (dfa_.bad[to]) {
        paths_.push_back(std::move(next.steps));
      } else if (++next.visits[to] <= 2) {
        next.spec = to;
        pending.push_back(std::move(next));
      }
    }
  }
}

std::optional<ExactViolated> RefinedHunt::quick() {
  if (auto found = walk(kQuickWalk)) {
    return found;
  }
  return climb(2, 8, 2, std::numeric_limits<std::size_t>::max());
}

std::optional<ExactViolated> RefinedHunt::longer(std::size_t contexts) {
  const std::size_t until = attack_.evaluated() + contexts;
  if (auto found = walk(std::min(contexts / 4, kLongWalk))) {
    return found;
  }
  return climb(kMostPaths, 24, 4, until);
}

std::optional<ExactViolated> RefinedHunt::walk(std::size_t contexts) {
  if (!walks_.can_turn_bad()) {
    return std::nullopt;
  }
  std::size_t tried = 0;
  for (std::size_t until = attack_.evaluated() + contexts;
       attack_.evaluated() < until && tried < input_.runs.limits.replays && !interrupted();) {
    for (const MetRun& run : walks_.met(until - attack_.evaluated(), kMetAtOnce)) {
      ++tried;
      if (auto found = replayed(run)) {
        return found;
      }
    }
  }
  return std::nullopt;
}

/// @param until no further path is begun when so many contexts are evaluated
std::optional<ExactViolated> RefinedHunt::climb(std::size_t paths, std::size_t starts,
                                                std::size_t sweeps, std::size_t until) {
  std::size_t tried = 0;
  for (std::size_t i = 0; i < std::min(paths, paths_.size()) && attack_.evaluated() < until; ++i) {
    const std::vector<RunStep>& path = paths_[i];
    if (path.empty() || (input_.runs.max_new && path.size() > *input_.runs.max_new) ||
        interrupted()) {
      continue;
    }
    for (const MetRun& run : attack_.runs(path, starts, sweeps)) {
      if (!(run.lead > 0) || tried >= input_.runs.limits.replays) {
        break;
      }
      ++tried;
      if (auto found = replayed(run)) {
        return found;
      }
    }
  }
  return std::nullopt;
}

std::optional<ExactViolated> RefinedHunt::replayed(const MetRun& run) {
  Candidate candidate;
  candidate.prompt = run.prompt;
  candidate.tokens = run.tokens;
  candidate.max_new = input_.runs.max_new.value_or(std::numeric_limits<std::size_t>::max());
  candidate.surely_emitted = [this](std::span<const Interval> logits, TokenId token) {
    std::vector<double> lo, hi;
    for (const Interval& l : logits) {
      lo.push_back(l.lo);
      hi.push_back(l.hi);
    }
    std::vector<automata::Edge> edges(logits.size());
    input_.runs.emission.decide(lo, hi, edges);
    return edges[token.at()] == automata::Edge::witnessed;
  };
  Replay replay = verify::replay(input_.runs.subject, atoms_, property_.formula, candidate);
  if (!replay.violated) {
    return std::nullopt;
  }
  return ExactViolated{candidate.prompt, std::move(*replay.violated)};
}

}  // namespace assay::verify
