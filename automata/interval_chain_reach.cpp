#include <algorithm>
#include <numeric>

#include "assay/base/errors.hpp"
#include "interval_chain_components.hpp"
#include "interval_chain_row.hpp"

namespace assay::automata {
namespace {

/// A copy of the rows that is reordered as values move.
class Rows {
 public:
  explicit Rows(const IntervalChain& chain) {
    begin_.push_back(0);
    for (std::size_t s = 0; s < chain.states(); ++s) {
      const auto row = chain.row(s);
      edges_.insert(edges_.end(), row.begin(), row.end());
      begin_.push_back(edges_.size());
    }
  }
  [[nodiscard]] std::span<ChainEdge> at(std::size_t s) {
    return std::span(edges_).subspan(begin_[s], begin_[s + 1] - begin_[s]);
  }

 private:
  std::vector<std::size_t> begin_;
  std::vector<ChainEdge> edges_;
};

void check_sizes(const IntervalChain& chain, const std::vector<bool>& marked) {
  require(marked.size() == chain.states(), "IntervalChain: one mark for each state");
  chain.require_closed();
}

/// LEAVE   for any set C and V with  max over nature of Σ p u[C := V] <= V  at every s of C,
///         u[C := min(u, V)] is an upper bound if u is
/// (a state of C whose value falls to V sees at most V inside C). The smallest such V is what
/// leaving C at its best state brings; plain iteration cannot find it where nature may stay.
bool leave(Rows& rows, const std::vector<std::uint32_t>& set, std::vector<Grid>& u) {
  std::vector<Grid> saved;
  Grid hi = 0;
  for (const std::uint32_t s : set) {
    saved.push_back(u[s]);
    hi = std::max(hi, u[s]);
  }
  const Grid before = hi;
  Grid lo = 0;
  while (lo < hi) {
    const Grid middle = lo + (hi - lo) / 2;
    for (const std::uint32_t s : set) {
      u[s] = middle;
    }
    const bool holds = std::all_of(
        set.begin(), set.end(), [&](std::uint32_t s) { return mean_up(rows.at(s), u) <= middle; });
    (holds ? hi : lo) = holds ? middle : middle + 1;
  }
  for (std::size_t i = 0; i < set.size(); ++i) {
    u[set[i]] = std::min(saved[i], hi);
  }
  return hi < before;
}

/// Sweeps one component until nothing moves by more than `still`.
std::size_t settle(Rows& rows, const std::vector<std::uint32_t>& component, std::vector<Grid>& u,
                   const ChainLimits& limits) {
  std::size_t sweeps = 0;
  for (Grid moved = limits.still + 1; moved > limits.still && sweeps < limits.sweeps; ++sweeps) {
    moved = 0;
    for (const std::uint32_t s : component) {
      const Grid next = std::min(u[s], mean_up(rows.at(s), u));
      moved = std::max(moved, u[s] - next);
      u[s] = next;
    }
  }
  return sweeps;
}

bool is_acyclic(const IntervalChain& chain, const std::vector<std::uint32_t>& component) {
  const auto row = chain.row(component[0]);
  return component.size() == 1 && std::none_of(row.begin(), row.end(), [&](const ChainEdge& e) {
           return e.to == component[0] && e.hi > 0;
         });
}

/// A state is ranked once whatever nature does leads with positive probability to a ranked one;
/// ranks are the order in which that is found.
std::vector<std::uint32_t> ranks_of(const IntervalChain& chain, const std::vector<bool>& marked) {
  const Predecessors predecessors(chain);
  std::vector<std::uint32_t> rank(chain.states(), kNoRank), open;
  for (std::uint32_t s = 0; s < rank.size(); ++s) {
    if (marked[s]) {
      rank[s] = 0;
      open.push_back(s);
    }
  }
  std::uint32_t next = 1;
  for (std::size_t at = 0; at < open.size(); ++at) {  // grows
    for (const std::uint32_t s : predecessors.of(open[at])) {
      if (rank[s] == kNoRank &&
          surely_enters(chain.row(s), [&rank](std::uint32_t t) { return rank[t] != kNoRank; })) {
        rank[s] = next++;
        open.push_back(s);
      }
    }
  }
  return rank;
}

std::vector<Grid> marks(const std::vector<bool>& marked) {
  std::vector<Grid> out(marked.size(), 0);
  for (std::size_t s = 0; s < marked.size(); ++s) {
    out[s] = marked[s] ? kGridOne : 0;
  }
  return out;
}

template <class Mean>
ChainBound within(const IntervalChain& chain, const std::vector<bool>& marked, std::size_t steps,
                  const Mean& mean) {
  check_sizes(chain, marked);
  Rows rows(chain);
  ChainBound out{marks(marked), {}, steps, 0};
  std::vector<Grid> next = out.value;
  for (std::size_t n = 0; n < steps; ++n) {
    for (std::size_t s = 0; s < next.size(); ++s) {
      if (!marked[s]) {
        next[s] = mean(rows.at(s), out.value);
      }
    }
    std::swap(next, out.value);
  }
  return out;
}

}  // namespace

ChainBound reach_at_most(const IntervalChain& chain, const std::vector<bool>& marked,
                         const ChainLimits& limits) {
  check_sizes(chain, marked);
  Rows rows(chain);
  const std::vector<bool> reaching = can_reach(chain, marked);
  ChainBound out{std::vector<Grid>(marked.size(), 0), {}, 0, 0};
  std::vector<bool> skip(marked.size(), false);  // their value is known: 0 or 1
  for (std::size_t s = 0; s < marked.size(); ++s) {
    out.value[s] = reaching[s] ? kGridOne : 0;
    skip[s] = marked[s] || !reaching[s];
  }
  for (const auto& component : components_of(chain, skip)) {
    if (is_acyclic(chain, component)) {
      out.value[component[0]] = mean_up(rows.at(component[0]), out.value);
      continue;
    }
    const auto ends = end_components(chain, component);
    out.end_components += ends.size();
    bool left = true;
    for (std::size_t round = 0; left && round < limits.rounds; ++round) {
      out.sweeps = std::max(out.sweeps, settle(rows, component, out.value, limits));
      left = false;
      for (const auto& end : ends) {
        left = leave(rows, end, out.value) || left;
      }
    }
  }
  return out;
}

ChainBound reach_at_least(const IntervalChain& chain, const std::vector<bool>& marked,
                          const ChainLimits& limits) {
  check_sizes(chain, marked);
  Rows rows(chain);
  ChainBound out{marks(marked), ranks_of(chain, marked), 0, 0};
  std::vector<bool> skip(marked.size(), false);
  for (std::size_t s = 0; s < marked.size(); ++s) {
    skip[s] = marked[s] || out.rank[s] == kNoRank;
  }
  for (const auto& component : components_of(chain, skip)) {
    std::size_t sweeps = 0;
    for (Grid moved = limits.still + 1; moved > limits.still && sweeps < limits.sweeps; ++sweeps) {
      moved = 0;
      for (const std::uint32_t s : component) {
        const Grid next = std::max(out.value[s], mean_down(rows.at(s), out.value));
        moved = std::max(moved, next - out.value[s]);
        out.value[s] = next;
      }
    }
    out.sweeps = std::max(out.sweeps, sweeps);
  }
  return out;
}

ChainBound reach_at_most_within(const IntervalChain& chain, const std::vector<bool>& marked,
                                std::size_t steps) {
  return within(chain, marked, steps,
                [](std::span<ChainEdge> row, const auto& v) { return mean_up(row, v); });
}

ChainBound reach_at_least_within(const IntervalChain& chain, const std::vector<bool>& marked,
                                 std::size_t steps) {
  return within(chain, marked, steps,
                [](std::span<ChainEdge> row, const auto& v) { return mean_down(row, v); });
}

}  // namespace assay::automata
