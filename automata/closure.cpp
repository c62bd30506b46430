#include "assay/automata/closure.hpp"

#include <algorithm>
#include <exception>
#include <thread>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "predecessor_sets.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kBlock = 1024;  ///< states bounded before limits are looked at again

std::size_t hashed(WindowCode code) {
  std::uint64_t z = code + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return static_cast<std::size_t>(z ^ (z >> 31U));
}

}  // namespace

ClosedGraph::Index ClosedGraph::intern(WindowCode state) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hashed(state) & mask;
  for (; slots_[at] != kFree; at = (at + 1) & mask) {
    if (states_[slots_[at]] == state) {
      return slots_[at];
    }
  }
  require(states_.size() < kFree, "ClosedGraph: 2^32 states");
  slots_[at] = static_cast<Index>(states_.size());
  states_.push_back(state);
  if (states_.size() * 10 > slots_.size() * 7) {
    grow();
  }
  return static_cast<Index>(states_.size() - 1);
}

void ClosedGraph::grow() {
  slots_.assign(slots_.size() * 2, kFree);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    std::size_t at = hashed(states_[i]) & mask;
    while (slots_[at] != kFree) {
      at = (at + 1) & mask;
    }
    slots_[at] = static_cast<Index>(i);
  }
}

std::optional<ClosedGraph::Index> ClosedGraph::find(WindowCode state) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hashed(state) & mask; slots_[at] != kFree; at = (at + 1) & mask) {
    if (states_[slots_[at]] == state) {
      return slots_[at];
    }
  }
  return std::nullopt;
}

FarTokens ClosedGraph::far(Index i) const {
  require(has_far(), "ClosedGraph: no predecessor sets");
  return {std::span(far_sets_).subspan(i * far_words_, far_words_), surely_[i]};
}

std::size_t ClosedGraph::bytes() const {
  return states_.capacity() * sizeof(WindowCode) + begin_.capacity() * sizeof(std::uint64_t) +
         edges_.capacity() * sizeof(Edge) + slots_.capacity() * sizeof(Index) +
         far_sets_.capacity() * sizeof(std::uint64_t);
}

ClosedGraph::Counts ClosedGraph::counts() const {
  Counts out;
  for (std::size_t i = 0; i < expanded(); ++i) {
    std::size_t open = 0;
    const std::span<const Edge> list = edges(static_cast<Index>(i));
    for (const Edge e : list) {
      open += e & 1U;
    }
    out.possible += list.size();
    out.open += open;
    out.settled += open == 0 ? 1 : 0;
  }
  out.witnessed = out.possible - out.open;
  return out;
}

/// One closure: breadth first, states numbered as they are met.
class ClosureSearch {
 public:
  ClosureSearch(const SuffixBounds& bounds, const ClosureOptions& options, std::size_t steps)
      : bounds_(bounds), options_(options), steps_(steps), graph_(bounds.codes()) {}

  /// Under the older graph's sets, and with its edges only; both null in the first round.
  void restrict(const ClosedGraph* older, const PredecessorSets* sets) {
    older_ = older;
    sets_ = sets;
  }
  /// @param whole the part must be all of the graph
  void run(const std::vector<PromptEnd>& prompts, const ClosurePart& begun, bool whole = false);
  ClosedGraph graph() && { return std::move(graph_); }
  [[nodiscard]] const SuffixWork& work() const { return work_; }

 private:
  void start(const PromptEnd& end);
  void take(const ClosurePart& begun);
  void expand(std::size_t begin, std::size_t end);
  void decide(std::span<const SuffixBounds::Query> queries, std::span<Edge> edges);
  bool within_limits();

  const SuffixBounds& bounds_;
  const ClosureOptions& options_;
  std::size_t steps_;
  const ClosedGraph* older_ = nullptr;
  const PredecessorSets* sets_ = nullptr;
  ClosedGraph graph_;
  SuffixWork work_;
};

bool ClosureSearch::within_limits() {
  if (interrupted()) {
    graph_.stopped_ = "interrupted by the user";
  } else if (graph_.size() > options_.states) {
    graph_.stopped_ =
        "the budget of " + std::to_string(options_.states) + " states (--states) is used up";
  }
  return graph_.stopped_.empty();
}

/// The states that the prompts of one end may be in: the last known tokens, an odometer.
void ClosureSearch::start(const PromptEnd& end) {
  const std::size_t n = std::min(end.size(), graph_.codes().window());
  require(n > 0, "close_forward: an empty prompt");
  std::vector<std::size_t> at(n, 0);
  for (bool more = true; more && (graph_.size() % kBlock != 0 || within_limits());) {
    WindowCode code = 0;
    for (std::size_t i = 0; i < n; ++i) {
      code = graph_.codes().append(code, end[end.size() - n + i].at(at[i]).at());
    }
    (void)graph_.intern(code);
    std::size_t i = n;
    while (i > 0 && ++at[i - 1] == end[end.size() - n + i - 1].size()) {
      at[--i] = 0;
    }
    more = i > 0;
  }
}

void ClosureSearch::decide(std::span<const SuffixBounds::Query> queries, std::span<Edge> edges) {
  const std::size_t workers = std::max<std::size_t>(1, options_.threads);
  const std::size_t part = (queries.size() + workers - 1) / workers, V = bounds_.vocabulary();
  SuffixOptions options;
  options.slope_steps = steps_;
  options.attack = sets_ == nullptr;
  std::vector<SuffixWork> works(workers);
  std::vector<std::exception_ptr> failures(workers);
  const auto work = [&](std::size_t k) {
    const std::size_t from = std::min(k * part, queries.size());
    const std::size_t count = std::min(part, queries.size() - from);
    try {
      works[k] =
          bounds_.decide(queries.subspan(from, count), options, edges.subspan(from * V, count * V));
    } catch (...) {
      failures[k] = std::current_exception();
    }
  };
  std::vector<std::thread> running;
  for (std::size_t k = 1; k < workers; ++k) {
    running.emplace_back(work, k);
  }
  work(0);
  for (std::thread& thread : running) {
    thread.join();
  }
  for (std::size_t k = 0; k < workers; ++k) {
    if (failures[k]) {
      std::rethrow_exception(failures[k]);
    }
    work_ += works[k];
  }
}

void ClosureSearch::expand(std::size_t begin, std::size_t end) {
  const std::size_t V = bounds_.vocabulary(), n = end - begin;
  std::vector<SuffixBounds::Query> queries(n);
  std::vector<FarTokens> far(n);
  std::vector<Edge> before, edges(n * V);
  if (older_ != nullptr) {
    before.assign(n * V, Edge::absent);
  }
  for (std::size_t i = 0; i < n; ++i) {
    queries[i].state = graph_.states_[begin + i];
    if (older_ != nullptr) {
      const std::optional<ClosedGraph::Index> found = older_->find(queries[i].state);
      if (!found) {
        throw Error(ExitCode::artifact, "closure: a state that the graph before it does not have");
      }
      const ClosedGraph::Index old = *found;
      for (const ClosedGraph::Edge e : older_->edges(old)) {
        before[i * V + (e >> 1U)] = (e & 1U) != 0 ? Edge::open : Edge::witnessed;
      }
      far[i] = sets_->of(old);
      queries[i].far = &far[i];
      queries[i].before = before.data() + i * V;
    }
  }
  decide(queries, edges);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t t = 0; t < V; ++t) {
      if (edges[i * V + t] != Edge::absent) {
        graph_.edges_.push_back(
            static_cast<ClosedGraph::Edge>(2 * t + (edges[i * V + t] == Edge::open ? 1 : 0)));
        (void)graph_.intern(graph_.codes_.append(graph_.states_[begin + i], t));
      }
    }
    graph_.begin_.push_back(graph_.edges_.size());
  }
}

/// The edges that an earlier call decided; its states must come in the order in which they are met here.
void ClosureSearch::take(const ClosurePart& begun) {
  for (std::size_t i = 0; i < begun.states.size(); ++i) {
    if (i >= graph_.size() || graph_.states_[i] != begun.states[i]) {
      throw Error(ExitCode::artifact,
                  "closure: expected the states that these prompts lead to, found others");
    }
    for (std::uint64_t k = begun.begin[i]; k < begun.begin[i + 1]; ++k) {
      graph_.edges_.push_back(begun.edges[k]);
      (void)graph_.intern(graph_.codes_.append(graph_.states_[i], begun.edges[k] >> 1U));
    }
    graph_.begin_.push_back(graph_.edges_.size());
  }
}

void ClosureSearch::run(const std::vector<PromptEnd>& prompts, const ClosurePart& begun,
                        bool whole) {
  require(!prompts.empty(), "close_forward: no prompts");
  for (const PromptEnd& end : prompts) {
    start(end);
  }
  graph_.initial_ = graph_.size();
  take(begun);
  if (whole && graph_.expanded() != graph_.size()) {
    throw Error(ExitCode::artifact, "closure: expected a closed graph, found a part of one");
  }
  Progress progress("states", options_.states);
  while (graph_.expanded() < graph_.size() && within_limits()) {
    const std::size_t begin = graph_.expanded();
    expand(begin, std::min(begin + kBlock, graph_.size()));
    progress.update(graph_.expanded(), std::to_string(graph_.size()) + " states, " +
                                           std::to_string(graph_.edges_.size()) + " edges, " +
                                           std::to_string(work_.open) + " open");
  }
}

ClosureResult close_forward(const SuffixBounds& bounds, const std::vector<PromptEnd>& prompts,
                            const ClosureOptions& options, const ClosureBegun& begun) {
  require((begun.round > 0) == begun.closed.has_value(), "close_forward: a round of no graph");
  ClosureSearch first(bounds, options, options.slope_steps);
  first.run(prompts, begun.closed ? *begun.closed : begun.part, begun.closed.has_value());
  const SuffixWork work = first.work();
  ClosureResult result{std::move(first).graph(), work, {}};
  result.round = result.graph.complete() ? std::max<std::size_t>(1, begun.round) : 0;
  for (; result.round <= options.rounds && result.graph.complete() && bounds.far_positions() > 0 &&
         !interrupted();
       ++result.round) {
    const PredecessorSets sets(result.graph, prompts, bounds.vocabulary(), bounds.far_positions());
    ClosureSearch search(bounds, options, options.round_steps);
    search.restrict(&result.graph, &sets);
    search.run(prompts, result.round == begun.round ? begun.part : ClosurePart{});
    result.work += search.work();
    ClosedGraph next = std::move(search).graph();
    if (!next.complete()) {  // the older graph is closed, and says more than a part of this one
      result.unfinished = std::move(next);
      break;
    }
    sets.move_to(next);
    result.earlier.push_back(std::move(result.graph));
    result.graph = std::move(next);
  }
  return result;
}

}  // namespace assay::automata
