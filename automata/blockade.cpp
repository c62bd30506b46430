#include "assay/automata/blockade.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dominator_tree.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
struct Arc {
  long capacity = 0, residual = 0;
  Traits::edge_descriptor reverse;
  std::size_t edge = SIZE_MAX;  ///< of the machine
};
using Flow =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Arc>;
using Plain = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

/// States 0 … n−1, then the start (before every initial state) and the end (after every bad edge).
struct Ends {
  std::size_t start, end;
  explicit Ends(std::size_t states) : start(states), end(states + 1) {}
  [[nodiscard]] std::size_t target(const BlockEdge& e) const { return e.bad ? end : e.to; }
};

/// Breadth-first from the initial states over the edges that are not blocked: the edge by which each
/// node, the end included, is first met.
struct Search {
  std::vector<std::size_t> by;  ///< edge; SIZE_MAX: not met, or initial
  std::vector<bool> met;

  Search(std::size_t states, const std::vector<BlockEdge>& edges,
         const std::vector<std::size_t>& initial, const std::vector<bool>& blocked)
      : by(states + 2, SIZE_MAX), met(states + 2, false) {
    const Ends ends(states);
    std::vector<std::vector<std::size_t>> out(states);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      out[edges[e].from].push_back(e);
    }
    std::vector<std::size_t> queue;
    for (const std::size_t s : initial) {
      if (!met[s]) {
        met[s] = true;
        queue.push_back(s);
      }
    }
    for (std::size_t i = 0; i < queue.size(); ++i) {
      for (const std::size_t e : out[queue[i]]) {
        const std::size_t to = ends.target(edges[e]);
        if (!met[to] && !blocked[e]) {
          met[to] = true;
          by[to] = e;
          if (to != ends.end) {
            queue.push_back(to);
          }
        }
      }
    }
  }
};

std::vector<std::size_t> path_to_end(const Search& search, std::size_t end,
                                     const std::vector<BlockEdge>& edges) {
  std::vector<std::size_t> path;
  for (std::size_t e = search.by[end]; e != SIZE_MAX; e = search.by[edges[e].from]) {
    path.push_back(e);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

/// Lengauer and Tarjan's, on what is reachable: Boost's reads an edge from elsewhere as a way in.
std::vector<std::size_t> dominators(std::size_t states, const std::vector<BlockEdge>& edges,
                                    const std::vector<std::size_t>& initial,
                                    const std::vector<bool>& met) {
  const Ends ends(states);
  Plain graph(states + 2);
  for (const std::size_t s : initial) {
    boost::add_edge(ends.start, s, graph);
  }
  for (const BlockEdge& e : edges) {
    if (met[e.from]) {
      boost::add_edge(e.from, ends.target(e), graph);
    }
  }
  const std::size_t none = boost::graph_traits<Plain>::null_vertex();
  std::vector<std::size_t> above(states + 2, none);
  boost::lengauer_tarjan_dominator_tree(
      graph, ends.start,
      boost::make_iterator_property_map(above.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<std::size_t> passes;
  for (std::size_t v = above[ends.end]; v != none && v != ends.start; v = above[v]) {
    passes.push_back(v);
  }
  std::reverse(passes.begin(), passes.end());
  return passes;
}

void add_arc(Flow& flow, std::size_t from, std::size_t to, long capacity, std::size_t edge) {
  const auto forward = boost::add_edge(from, to, flow).first;
  const auto backward = boost::add_edge(to, from, flow).first;
  flow[forward].capacity = capacity;
  flow[forward].edge = edge;
  flow[forward].reverse = backward;
  flow[backward].reverse = forward;
}

/// Nodes that the start still reaches in the residual graph of a largest flow.
std::vector<bool> source_side(Flow& flow, const Ends& ends, long& value) {
  value = boost::push_relabel_max_flow(flow, ends.start, ends.end, boost::get(&Arc::capacity, flow),
                                       boost::get(&Arc::residual, flow),
                                       boost::get(&Arc::reverse, flow),
                                       boost::get(boost::vertex_index, flow));
  std::vector<bool> met(boost::num_vertices(flow), false);
  std::vector<std::size_t> stack = {ends.start};
  met[ends.start] = true;
  while (!stack.empty()) {
    const std::size_t v = stack.back();
    stack.pop_back();
    for (auto [arc, last] = boost::out_edges(v, flow); arc != last; ++arc) {
      const std::size_t to = boost::target(*arc, flow);
      if (flow[*arc].residual > 0 && !met[to]) {
        met[to] = true;
        stack.push_back(to);
      }
    }
  }
  return met;
}

std::vector<std::size_t> smallest_cut(std::size_t states, const std::vector<BlockEdge>& edges,
                                      const std::vector<std::size_t>& initial) {
  const Ends ends(states);
  Flow flow(states + 2);
  for (const std::size_t s : initial) {
    add_arc(flow, ends.start, s, static_cast<long>(edges.size()) + 1, SIZE_MAX);
  }
  for (std::size_t e = 0; e < edges.size(); ++e) {
    add_arc(flow, edges[e].from, ends.target(edges[e]), 1, e);
  }
  long value = 0;
  const std::vector<bool> near = source_side(flow, ends, value);
  std::vector<std::size_t> cut;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (near[edges[e].from] && !near[ends.target(edges[e])]) {
      cut.push_back(e);
    }
  }
  require(static_cast<long>(cut.size()) == value, "find_blockade: the cut is not the flow's");
  return cut;
}

}  // namespace

Blockade find_blockade(std::size_t states, const std::vector<BlockEdge>& edges,
                       const std::vector<std::size_t>& initial) {
  for (const BlockEdge& e : edges) {
    require(e.from < states && e.to < states, "find_blockade: an edge of no state");
  }
  for (const std::size_t s : initial) {
    require(s < states, "find_blockade: an initial state that is none");
  }
  const std::size_t end = Ends(states).end;
  std::vector<bool> blocked(edges.size(), false);
  const Search search(states, edges, initial, blocked);
  Blockade out;
  out.reachable = search.met[end];
  if (!out.reachable) {
    return out;
  }
  out.shortest = path_to_end(search, end, edges);
  out.passes = dominators(states, edges, initial, search.met);
  out.cut = smallest_cut(states, edges, initial);
  for (const std::size_t e : out.cut) {
    blocked[e] = true;
  }
  require(!Search(states, edges, initial, blocked).met[end],
          "find_blockade: a bad edge is reached past the cut");
  return out;
}

}  // namespace assay::automata
