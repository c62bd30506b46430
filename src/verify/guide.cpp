#include "guide.hpp"

#include <algorithm>
#include <queue>
#include <set>
#include <tuple>

#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxGuidedPairs = 2000000;
constexpr std::uint32_t kFar = 1000000;  // outside the fitted automaton: by the monitor alone

/// Least number of letters from each monitor state to bad, whatever the letters.
std::vector<std::uint32_t> monitor_distances(const spec::Dfa& dfa) {
  std::vector<std::uint32_t> distance(dfa.states, automata::kUnreachable);
  for (std::uint32_t q = 0; q < dfa.states; ++q) {
    distance[q] = dfa.bad[q] ? 0 : automata::kUnreachable;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::uint32_t q = 0; q < dfa.states; ++q) {
      for (std::size_t letter = 0; letter < dfa.letters(); ++letter) {
        const std::uint32_t there = distance[dfa.next(q, letter)];
        if (there != automata::kUnreachable && there + 1 < distance[q]) {
          distance[q] = there + 1;
          changed = true;
        }
      }
    }
  }
  return distance;
}

struct Prefix {
  Sample run;
  std::uint32_t q = 0;
  std::vector<StateId> where;  ///< fitted states that it may be in
  std::uint32_t distance = 0;
};

class GuidedSearch {
 public:
  GuidedSearch(const CheckInput& input, const Atoms& atoms, const Compiled& compiled)
      : input_(input),
        atoms_(atoms),
        c_(compiled),
        hooks_(atoms.hooks(compiled.used)),
        by_monitor_(monitor_distances(*compiled.product.dfa)) {
    if (c_.product.size() <= kMaxGuidedPairs) {
      by_pair_ = automata::distances_to_bad(c_.product);
    }
  }

  Hunt run() {
    for (std::size_t p = 0; p < input_.automaton->prompts.size(); ++p) {
      if (!input_.automaton->prompts[p].empty()) {
        expand({{p, {}}, 0, {}, kFar}, true);
      }
    }
    while (!queue_.empty() && !finished()) {
      const Prefix next = prefixes_[std::get<2>(queue_.top())];
      queue_.pop();
      expand(next, false);
    }
    if (!out_.violated) {
      explain();
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool finished() const {
    return out_.violated.has_value() || out_.looked_at >= input_.limits.search_nodes ||
           replays_ >= input_.limits.replays || interrupted();
  }

  std::vector<TokenId> context_of(const Sample& run) const {
    std::vector<TokenId> all = input_.automaton->prompts[run.prompt];
    all.insert(all.end(), run.tokens.begin(), run.tokens.end());
    return relevant(*input_.model, all);
  }

  /// Every token of the support as a child.
  void expand(const Prefix& from, bool is_root) {
    if (from.run.tokens.size() >= input_.automaton->max_new) {
      return;
    }
    const std::vector<double> logits = next_logits(*input_.model, context_of(from.run));
    for (const TokenId token : support(input_.automaton->decoder, logits).tokens) {
      if (finished() || token.at() >= input_.model->config.d_vocab) {
        return;
      }
      ++out_.looked_at;
      Prefix child = from;
      child.run.tokens.push_back(token);
      const std::vector<TokenId> context = context_of(child.run);
      step(child, from, is_root, context);
      if (c_.product.dfa->bad[child.q]) {
        attempt(child.run);
      } else if (is_new(context, child.q)) {
        prefixes_.push_back(child);
        queue_.emplace(child.distance, child.run.tokens.size(), prefixes_.size() - 1);
      }
    }
  }

  void step(Prefix& child, const Prefix& from, bool is_root,
            const std::vector<TokenId>& context) const {
    ForwardPass pass;
    if (!hooks_.empty()) {
      pass = forward(*input_.model, context, hooks_);
    }
    const std::size_t letter = c_.product.dfa->project(
        atoms_.nominal(c_.used, child.run.tokens.back(), pass, context.size() - 1));
    child.q = c_.product.dfa->next(from.q, letter);
    child.where = followers(from, is_root, letter);
    child.distance = automata::kUnreachable;
    if (by_pair_.empty() || child.where.empty()) {
      const std::uint32_t d = by_monitor_[child.q];
      child.distance = d == automata::kUnreachable ? d : kFar + d;
    }
    if (child.where.empty()) {  // an edge that was never seen: every state with this letter
      for (std::size_t s = 0; s < c_.product.letters.size(); ++s) {
        if (shows(StateId(s), letter)) {
          child.where.emplace_back(s);
        }
      }
    }
    if (!by_pair_.empty()) {
      for (const StateId s : child.where) {
        child.distance = std::min(child.distance, by_pair_[c_.product.index(s, child.q)]);
      }
    }
  }

  [[nodiscard]] bool shows(StateId s, std::size_t letter) const {
    const auto& letters = c_.product.letters[s.at()];
    return std::binary_search(letters.begin(), letters.end(), letter);
  }

  std::vector<StateId> followers(const Prefix& from, bool is_root, std::size_t letter) const {
    std::set<StateId> out;
    const auto consider = [&](StateId s) {
      if (shows(s, letter)) {
        out.insert(s);
      }
    };
    if (is_root) {
      for (const auto& [s, count] : input_.automaton->initial) {
        consider(s);
      }
    }
    for (const StateId s : from.where) {
      std::for_each(c_.product.after[s.at()].begin(), c_.product.after[s.at()].end(), consider);
    }
    return {out.begin(), out.end()};
  }

  /// With a window the end of the context and the monitor decide the future.
  bool is_new(const std::vector<TokenId>& context, std::uint32_t q) {
    return seen_.emplace(context, q).second;
  }

  void attempt(const Sample& run) {
    ++replays_;
    Replay replayed = replay(input_, atoms_, c_.property->formula, run);
    out_.violated = std::move(replayed.violated);
    last_failure_ = replayed.reason;
  }

  [[nodiscard]] std::string state_name(StateId s) const {
    return "'" + input_.automaton->states[s.at()].name + "'";
  }

  /// The abstract edge that no real run was found to follow.
  void explain() {
    if (!last_failure_.empty()) {
      out_.reason =
          "a run of the model reaches a bad prefix in double arithmetic, but its replay fails: " +
          last_failure_;
      out_.missing = "a decided atom or token there (a wider band, or another decoder cut)";
      return;
    }
    const auto& path = c_.found.path;
    std::size_t failing = 0;
    std::uint32_t best = automata::kUnreachable;
    for (const Prefix& prefix : prefixes_) {
      best = std::min(best, prefix.distance);
    }
    if (best != automata::kUnreachable && best < path.size()) {
      failing = path.size() - best;
    }
    out_.reason =
        "the fitted automaton has a path to a bad prefix, but no run of the model was found along "
        "it (" +
        std::to_string(out_.looked_at) + " prefixes looked at)";
    if (path.empty()) {
      return;
    }
    failing = std::min(failing, path.size() - 1);
    out_.missing = failing == 0
                       ? "the first state " + state_name(path[0].state) + " would have to be split"
                       : "the abstract edge " + state_name(path[failing - 1].state) + " -> " +
                             state_name(path[failing].state) +
                             " is not followed by what comes before it; split " +
                             state_name(path[failing - 1].state) + " by earlier tokens or features";
  }

  const CheckInput& input_;
  const Atoms& atoms_;
  const Compiled& c_;
  std::vector<std::string> hooks_;
  std::vector<std::uint32_t> by_monitor_, by_pair_;
  std::vector<Prefix> prefixes_;
  using Entry = std::tuple<std::uint32_t, std::size_t, std::size_t>;  // distance, length, prefix
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  std::set<std::pair<std::vector<TokenId>, std::uint32_t>> seen_;
  std::size_t replays_ = 0;
  std::string last_failure_;
  Hunt out_;
};

}  // namespace

Hunt scan(const CheckInput& input, const Atoms& atoms, const Compiled& compiled,
          const std::vector<std::vector<std::uint64_t>>& letters) {
  const spec::Dfa& dfa = *compiled.product.dfa;
  std::vector<std::pair<std::size_t, std::size_t>> refuted;  // length, sample
  for (std::size_t s = 0; s < letters.size(); ++s) {
    std::uint32_t q = 0;
    for (std::size_t i = 0; i < letters[s].size(); ++i) {
      q = dfa.next(q, dfa.project(letters[s][i]));
      if (dfa.bad[q]) {
        refuted.emplace_back(i + 1, s);
        break;
      }
    }
  }
  std::sort(refuted.begin(), refuted.end());
  Hunt out;
  out.looked_at = letters.size();
  for (std::size_t i = 0; i < std::min(refuted.size(), input.limits.replays) && !out.violated;
       ++i) {
    Sample run = input.samples[refuted[i].second];
    Replay replayed = replay(input, atoms, compiled.property->formula, run);
    out.violated = std::move(replayed.violated);
    out.reason = replayed.reason;
  }
  return out;
}

Hunt guided_search(const CheckInput& input, const Atoms& atoms, const Compiled& compiled) {
  return GuidedSearch(input, atoms, compiled).run();
}

}  // namespace assay::verify
