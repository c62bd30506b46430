#include "given_machine.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "components.hpp"

namespace assay::verify {

using automata::Hoa;

GivenMachine::GivenMachine(const Hoa& hoa) : hoa_(hoa), edges_(hoa.states) {
  for (std::size_t e = 0; e < hoa.edges.size(); ++e) {
    if (!hoa.edges[e].label.letters({}).empty()) {
      edges_[hoa.edges[e].from].push_back(e);
    }
  }
  find_live();
  drop_dead();
  if (std::none_of(hoa.start.begin(), hoa.start.end(),
                   [this](std::size_t s) { return !edges_[s].empty(); })) {
    throw UsageError(
        "the machine has no run: expected a start state from which one goes on, found none");
  }
}

/// Finite runs: an accepting state is ahead. Infinite ones: an accepting cycle is.
void GivenMachine::find_live() {
  live_.assign(hoa_.states, false);
  if (hoa_.finite_words) {
    live_ = hoa_.accepting;
  } else {
    Graph graph;
    for (const auto& edges : edges_) {
      for (const std::size_t e : edges) {
        graph.to.push_back(static_cast<std::uint32_t>(hoa_.edges[e].to));
      }
      graph.end_node();
    }
    const Components components(graph);
    for (std::size_t s = 0; s < hoa_.states; ++s) {
      live_[s] = std::any_of(edges_[s].begin(), edges_[s].end(), [&](std::size_t e) {
        const Hoa::Edge& edge = hoa_.edges[e];
        return components.of(s) == components.of(edge.to) && (edge.accepting || !hoa_.buchi);
      });
    }
  }
  std::vector<std::vector<std::size_t>> before(hoa_.states);
  std::vector<std::size_t> open;
  for (std::size_t s = 0; s < hoa_.states; ++s) {
    for (const std::size_t e : edges_[s]) {
      before[hoa_.edges[e].to].push_back(s);
    }
    if (live_[s]) {
      open.push_back(s);
    }
  }
  while (!open.empty()) {
    const std::size_t s = open.back();
    open.pop_back();
    for (const std::size_t from : before[s]) {
      if (!live_[from]) {
        live_[from] = true;
        open.push_back(from);
      }
    }
  }
}

void GivenMachine::drop_dead() {
  for (auto& edges : edges_) {
    edges.erase(std::remove_if(edges.begin(), edges.end(),
                               [this](std::size_t e) { return !live_[hoa_.edges[e].to]; }),
                edges.end());
  }
}

Hoa without_dead(const GivenMachine& machine) {
  const Hoa& hoa = machine.hoa();
  Hoa out;
  out.name = hoa.name;
  out.aps = hoa.aps;
  std::vector<std::size_t> number(hoa.states);
  for (std::size_t s = 0; s < hoa.states; ++s) {
    if (machine.live(s)) {
      number[s] = out.states++;
      out.state_names.push_back(hoa.state_names[s]);
    }
  }
  out.accepting.assign(out.states, false);
  for (std::size_t s = 0; s < hoa.states; ++s) {
    for (const std::size_t e : machine.edges(s)) {
      out.edges.push_back({number[s], number[hoa.edges[e].to], hoa.edges[e].label, false});
    }
  }
  for (const std::size_t s : hoa.start) {
    if (machine.live(s)) {
      out.start.push_back(number[s]);
    }
  }
  return out;
}

}  // namespace assay::verify
