#include "assay/automata/containment.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/automata/sampler.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/bounds/concrete.hpp"

namespace assay::automata {
namespace {

class SampledRun {
 public:
  SampledRun(const Transformer& model, const Emission& emission, const ClosedGraph& graph)
      : model_(model),
        emission_(emission),
        graph_(graph),
        sampler_(model),
        kinds_(model.config.d_vocab) {}

  /// False when the run met an alarm.
  bool walk(std::vector<TokenId> context, std::size_t steps, bool alike, Random& random,
            Containment& out);
  [[nodiscard]] std::size_t states() const { return states_.size(); }
  [[nodiscard]] std::size_t edges() const { return edges_.size(); }

 private:
  [[nodiscard]] std::size_t drawn(const std::vector<double>& logits, bool alike, Random& random);
  [[nodiscard]] bool is_edge(std::optional<ClosedGraph::Index> state, std::size_t token) const;
  [[nodiscard]] bool older_tokens_allowed(ClosedGraph::Index state,
                                          const std::vector<TokenId>& context) const;
  [[nodiscard]] Edge enclosed(const std::vector<TokenId>& context, std::size_t token);

  const Transformer& model_;
  const Emission& emission_;
  const ClosedGraph& graph_;
  Sampler sampler_;
  std::vector<Edge> kinds_;
  std::set<ClosedGraph::Index> states_;
  std::set<std::pair<ClosedGraph::Index, std::size_t>> edges_;
};

/// A token that the decoder may emit at these logits, ties kept.
std::size_t SampledRun::drawn(const std::vector<double>& logits, bool alike, Random& random) {
  emission_.decide(logits, logits, kinds_);
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> shares(logits.size(), 0.0);
  double total = 0;
  for (std::size_t t = 0; t < logits.size(); ++t) {
    shares[t] = kinds_[t] == Edge::absent ? 0.0 : (alike ? 1.0 : std::exp(logits[t] - top));
    total += shares[t];
  }
  double at = random.unit() * total;
  std::size_t last = 0;
  for (std::size_t t = 0; t < shares.size(); ++t) {
    if (shares[t] > 0) {
      last = t;
      at -= shares[t];
      if (at < 0) {
        break;
      }
    }
  }
  return last;
}

bool SampledRun::is_edge(std::optional<ClosedGraph::Index> state, std::size_t token) const {
  if (!state) {
    return false;
  }
  const auto edges = graph_.edges(*state);
  return std::any_of(edges.begin(), edges.end(), [token](auto e) { return (e >> 1U) == token; });
}

/// Of a graph with predecessor sets: the context is one that D(s) speaks of.
bool SampledRun::older_tokens_allowed(ClosedGraph::Index state,
                                      const std::vector<TokenId>& context) const {
  constexpr std::size_t kKnown = SuffixBounds::kKnown;
  const std::size_t n = context.size();
  if (!graph_.has_far() || n < kKnown) {
    return true;
  }
  const FarTokens far = graph_.far(state);
  const std::size_t words = FarTokens::words(model_.config.d_vocab);
  bool allowed = n - kKnown >= far.surely;
  for (std::size_t j = 0; j < far.sets.size() / words && j + kKnown < n; ++j) {
    const std::size_t t = context[n - 1 - kKnown - j].at();
    allowed = allowed && ((far.sets[j * words + t / 64] >> (t % 64)) & 1U) != 0;
  }
  return allowed;
}

Edge SampledRun::enclosed(const std::vector<TokenId>& context, std::size_t token) {
  const bounds::ConcreteValues values = bounds::enclose(model_, context);
  std::vector<double> lo, hi;
  for (const Interval& l : values.logits) {
    lo.push_back(l.lo);
    hi.push_back(l.hi);
  }
  emission_.decide(lo, hi, kinds_);
  return kinds_[token];
}

bool SampledRun::walk(std::vector<TokenId> context, std::size_t steps, bool alike, Random& random,
                      Containment& out) {
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t token = drawn(sampler_.next_logits(context), alike, random);
    const auto state = graph_.find(graph_.codes().encode(context));
    ++out.steps;
    if (!is_edge(state, token) || !older_tokens_allowed(*state, context)) {
      const Edge again = enclosed(context, token);
      if (again == Edge::witnessed) {
        out.alarm = Containment::Alarm{context, TokenId(token)};
        return false;
      }
      ++out.undecided;  // on the cut, or beyond it by the sampler's own rounding: no run of REAL
      return true;
    }
    states_.insert(*state);
    edges_.emplace(*state, token);
    context.emplace_back(token);
  }
  return true;
}

}  // namespace

Containment contains_samples(const Transformer& model, const Emission& emission,
                             const ClosedGraph& graph, const std::vector<PromptEnd>& prompts,
                             const ContainmentOptions& options) {
  require(graph.complete() && !prompts.empty(), "contains_samples: a closed graph and prompts");
  Containment out;
  Random random(options.seed);
  SampledRun run(model, emission, graph);
  for (; out.runs < options.runs && !out.alarm; ++out.runs) {
    const PromptEnd& end = prompts[random.below(prompts.size())];
    std::vector<TokenId> context;
    for (const std::vector<TokenId>& set : end) {
      context.push_back(set[random.below(set.size())]);
    }
    run.walk(std::move(context), options.max_new, out.runs % 2 == 1, random, out);
  }
  out.states = run.states();
  out.edges = run.edges();
  return out;
}

}  // namespace assay::automata
