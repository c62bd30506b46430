#include "refined_walks.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kFar = 1000;    // a state that cannot turn bad
constexpr std::size_t kAtOnce = 64;   // walks
constexpr std::size_t kLongest = 40;  // tokens of a walk
constexpr double kDraw = 12;          // preference of a token for each letter nearer
constexpr double kSure = 1e-6;        // nats above the cut, so that intervals agree
constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

RunWalks::RunWalks(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& dfa,
                   ContextAttack& attack)
    : input_(input),
      letters_(letters),
      dfa_(dfa),
      attack_(attack),
      distance_(dfa.states, kFar),
      near_(dfa.states, std::vector<std::size_t>(letters.vocabulary(), kFar)),
      weight_(letters.vocabulary()) {
  measure();
}

/// Breadth first from the bad states, over letters that some token has.
void RunWalks::measure() {
  std::vector<std::vector<std::uint32_t>> before(dfa_.states);
  for (std::uint32_t s = 0; s < dfa_.states; ++s) {
    for (std::size_t t = 0; t < letters_.vocabulary(); ++t) {
      for (const std::size_t letter : letters_.of(t)) {
        std::vector<std::uint32_t>& into = before[dfa_.next(s, letter)];
        if (into.empty() || into.back() != s) {
          into.push_back(s);
        }
      }
    }
  }
  std::deque<std::uint32_t> open;
  for (std::uint32_t s = 0; s < dfa_.states; ++s) {
    if (dfa_.bad[s]) {
      distance_[s] = 0;
      open.push_back(s);
    }
  }
  for (; !open.empty(); open.pop_front()) {
    for (const std::uint32_t s : before[open.front()]) {
      if (distance_[s] == kFar) {
        distance_[s] = distance_[open.front()] + 1;
        open.push_back(s);
      }
    }
  }
  for (std::uint32_t s = 0; s < dfa_.states; ++s) {
    for (std::size_t t = 0; t < letters_.vocabulary(); ++t) {
      for (const std::size_t letter : letters_.of(t)) {
        near_[s][t] = std::min(near_[s][t], distance_[dfa_.next(s, letter)]);
      }
    }
  }
}

bool RunWalks::can_turn_bad() const { return distance_[0] < kFar; }

/// One token alone, from which the model writes text of its own, or random tokens that fill the window.
void RunWalks::start(Walk& walk) {
  const PromptSet& prompts = input_.runs.prompts;
  const std::size_t kind = started_++ % 4;
  std::size_t n =
      prompts.any() ? std::min(prompts.max_length, attack_.codes().window()) : prompts.sets.size();
  n = prompts.any() && kind != 0 ? 1 + random_() % (kind == 1 ? n : 1) : n;
  walk = {};
  walk.is_uniform = kind == 3;
  for (std::size_t i = 0; i < n; ++i) {
    walk.prompt.push_back(prompts.any() ? TokenId(random_() % letters_.vocabulary())
                                        : prompts.sets[i][random_() % prompts.sets[i].size()]);
    walk.window = attack_.codes().append(walk.window, walk.prompt.back().value);
  }
}

std::size_t RunWalks::letter_of(const Walk& walk, const double* probes) const {
  std::size_t letter = letters_.fixed(walk.tokens.back().at());
  for (std::size_t i = 0; i < letters_.measured().size(); ++i) {
    letter |= attack_.atom_lead(i, true, probes[i]) > 0
                  ? std::size_t{1} << letters_.measured()[i].bit
                  : 0;
  }
  return letter;
}

/// Tokens with a logit above it are emitted, and the largest one always.
double RunWalks::cutoff(const double* logits) {
  using Kind = automata::Emission::Kind;
  const automata::Emission& emission = input_.runs.emission;
  const std::size_t V = letters_.vocabulary();
  if (emission.kind() == Kind::greedy || emission.kind() == Kind::min_p) {
    return *std::max_element(logits, logits + V) + emission.cut().hi + kSure;
  }
  if (emission.kind() == Kind::top_k && emission.k() < V) {
    sorted_.assign(logits, logits + V);
    const auto next = sorted_.begin() + static_cast<std::ptrdiff_t>(emission.k());
    std::nth_element(sorted_.begin(), next, sorted_.end(), std::greater<>());
    return *next + kSure;
  }
  return -kInf;
}

void RunWalks::step(Walk& walk, const double* logits) {
  const std::size_t V = letters_.vocabulary();
  const double top = *std::max_element(logits, logits + V), cut = cutoff(logits);
  double sum = 0;
  for (std::size_t t = 0; t < V; ++t) {
    const bool is_emitted = logits[t] > cut || logits[t] == top;
    const std::size_t near = near_[walk.spec][t];
    const double nearer = static_cast<double>(distance_[walk.spec]) - static_cast<double>(near);
    weight_[t] = !is_emitted || near >= kFar ? 0
                                             : (walk.is_uniform ? 1 : std::exp(logits[t] - top)) *
                                                   std::pow(kDraw, std::clamp(nearer, -3.0, 3.0));
    sum += weight_[t];
  }
  if (!(sum > 0)) {  // nothing that can still turn bad
    start(walk);
    return;
  }
  double left = std::uniform_real_distribution<double>(0, sum)(random_);
  std::size_t chosen = V;
  for (std::size_t t = 0; t < V && (chosen == V || left >= 0); ++t) {
    chosen = weight_[t] > 0 ? t : chosen;
    left -= weight_[t];
  }
  walk.tokens.emplace_back(chosen);
  walk.window = attack_.codes().append(walk.window, static_cast<std::uint32_t>(chosen));
}

std::vector<MetRun> RunWalks::met(std::size_t contexts, std::size_t most) {
  std::vector<MetRun> out;
  const std::size_t longest = std::min(kLongest, input_.runs.max_new.value_or(kLongest));
  while (walks_.size() < kAtOnce) {
    start(walks_.emplace_back());
  }
  std::vector<automata::WindowCode> windows(kAtOnce);
  for (std::size_t spent = 0; spent < contexts && out.size() < most && !interrupted();
       spent += kAtOnce) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      windows[i] = walks_[i].window;
    }
    attack_.evaluate(windows, [&](std::size_t i, const double* logits, const double* probes) {
      Walk& walk = walks_[i];
      if (!walk.tokens.empty()) {
        walk.spec = dfa_.next(walk.spec, letter_of(walk, probes));
      }
      if (dfa_.bad[walk.spec] && !walk.tokens.empty()) {
        out.push_back({0, walk.prompt, walk.tokens});
      }
      if (distance_[walk.spec] == 0 || distance_[walk.spec] >= kFar ||
          walk.tokens.size() >= longest) {
        start(walk);
      } else {
        step(walk, logits);
      }
    });
  }
  return out;
}

}  // namespace assay::verify
