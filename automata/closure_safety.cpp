#include "assay/automata/closure_safety.hpp"

#include <algorithm>
#include <unordered_map>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

class SafetySearch {
 public:
  SafetySearch(const ClosedGraph& graph, const spec::Dfa& dfa, const std::vector<Letter>& letters)
      : graph_(graph), dfa_(dfa), letters_(letters), live_(can_turn_bad(dfa)) {}

  ClosureSafety run() {
    for (std::size_t s = 0; s < graph_.initial() && live_[0]; ++s) {
      enter(static_cast<ClosedGraph::Index>(s), 0, kNone);
    }
    for (std::size_t p = 0; p < states_.size(); ++p) {
      if (!dfa_.bad[specs_[p]]) {
        expand(p);
      }
    }
    out_.pairs = states_.size();
    std::sort(out_.bad_edges.begin(), out_.bad_edges.end());
    out_.bad_edges.erase(std::unique(out_.bad_edges.begin(), out_.bad_edges.end()),
                         out_.bad_edges.end());
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void enter(ClosedGraph::Index state, std::uint32_t q, std::size_t parent) {
    if (!live_[q] || !index_.emplace(std::uint64_t{state} << 32U | q, states_.size()).second) {
      return;
    }
    states_.push_back(state);
    specs_.push_back(q);
    parents_.push_back(parent);
    if (dfa_.bad[q] && !out_.bad_reachable) {
      out_.bad_reachable = true;
      std::size_t at = states_.size() - 1;
      for (; parents_[at] != kNone; at = parents_[at]) {
        out_.path.emplace_back(graph_.codes().last(graph_.state(states_[at])));
      }
      out_.path_start = states_[at];
      std::reverse(out_.path.begin(), out_.path.end());
    }
  }

  void expand(std::size_t p) {
    const ClosedGraph::Index from = states_[p];
    const std::uint32_t q = specs_[p];
    for (const ClosedGraph::Edge e : graph_.edges(from)) {
      const std::uint32_t token = e >> 1U;
      const std::size_t must = dfa_.project(letters_[token].must);
      const std::size_t free = dfa_.project(letters_[token].may) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        const std::uint32_t next = dfa_.next(q, must | part);
        if (dfa_.bad[next]) {
          out_.bad_edges.push_back({from, token, (e & 1U) != 0});
        }
        enter(graph_.target(from, token), next, p);
        if (part == 0) {
          break;
        }
      }
    }
  }

  const ClosedGraph& graph_;
  const spec::Dfa& dfa_;
  const std::vector<Letter>& letters_;
  std::vector<bool> live_;
  std::vector<ClosedGraph::Index> states_;
  std::vector<std::uint32_t> specs_;
  std::vector<std::size_t> parents_;
  std::unordered_map<std::uint64_t, std::size_t> index_;
  ClosureSafety out_;
};

}  // namespace

ClosureSafety check_safety(const ClosedGraph& graph, const spec::Dfa& dfa,
                           const std::vector<Letter>& letters) {
  require(graph.complete(), "check_safety: a graph that is not closed");
  return SafetySearch(graph, dfa, letters).run();
}

}  // namespace assay::automata
