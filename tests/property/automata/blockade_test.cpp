#include "assay/automata/blockade.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

/// A bad edge is reached without the edges and the state left out: depth first, written apart.
bool reached(std::size_t states, const std::vector<BlockEdge>& edges,
             const std::vector<std::size_t>& initial, std::uint64_t without_edges,
             std::size_t without_state) {
  std::vector<bool> met(states, false);
  std::vector<std::size_t> stack;
  for (const std::size_t s : initial) {
    if (s != without_state) {
      stack.push_back(s);
    }
  }
  while (!stack.empty()) {
    const std::size_t s = stack.back();
    stack.pop_back();
    if (met[s]) {
      continue;
    }
    met[s] = true;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].from != s || ((without_edges >> e) & 1U) != 0) {
        continue;
      }
      if (edges[e].bad) {
        return true;
      }
      if (edges[e].to != without_state) {
        stack.push_back(edges[e].to);
      }
    }
  }
  return false;
}

constexpr std::size_t kNone = SIZE_MAX;

void check_run(const Blockade& b, const std::vector<BlockEdge>& edges,
               const std::vector<std::size_t>& initial) {
  REQUIRE_FALSE(b.shortest.empty());
  CHECK(std::count(initial.begin(), initial.end(), edges[b.shortest.front()].from) > 0);
  for (std::size_t i = 0; i + 1 < b.shortest.size(); ++i) {
    CHECK(edges[b.shortest[i]].to == edges[b.shortest[i + 1]].from);
    CHECK_FALSE(edges[b.shortest[i]].bad);
  }
  CHECK(edges[b.shortest.back()].bad);
}

}  // namespace

TEST_CASE("blockade: dominators and smallest cuts are those of brute force") {
  Random random(11);
  std::size_t reachable = 0, with_passes = 0, wide = 0;
  for (int round = 0; round < 400; ++round) {
    const std::size_t states = 2 + random.below(5);
    std::vector<BlockEdge> edges;
    for (std::size_t n = 1 + random.below(11); n > 0; --n) {
      edges.push_back({random.below(states), random.below(states), random.below(4) == 0});
    }
    std::vector<std::size_t> initial = {random.below(states)};
    if (random.below(2) == 0) {
      initial.push_back(random.below(states));
    }
    const Blockade b = find_blockade(states, edges, initial);
    CHECK(b.reachable == reached(states, edges, initial, 0, kNone));
    if (!b.reachable) {
      CHECK((b.shortest.empty() && b.passes.empty() && b.cut.empty()));
      continue;
    }
    ++reachable;
    check_run(b, edges, initial);
    for (std::size_t s = 0; s < states; ++s) {
      const bool passed = std::count(b.passes.begin(), b.passes.end(), s) == 1;
      CHECK(passed == !reached(states, edges, initial, 0, s));
    }
    with_passes += b.passes.empty() ? 0U : 1U;
    std::size_t fewest = edges.size();
    for (std::uint64_t set = 0; set < (std::uint64_t{1} << edges.size()); ++set) {
      const auto size = static_cast<std::size_t>(__builtin_popcountll(set));
      if (size < fewest && !reached(states, edges, initial, set, kNone)) {
        fewest = size;
      }
    }
    CHECK(b.cut.size() == fewest);
    wide += fewest > 1 ? 1U : 0U;
  }
  CHECK(reachable > 100);
  CHECK(with_passes > 50);
  CHECK(wide > 20);
}

TEST_CASE("blockade: a state that is none is refused") {
  CHECK_THROWS_AS(find_blockade(2, {{0, 2, true}}, {0}), PreconditionError);
  CHECK_THROWS_AS(find_blockade(2, {{0, 1, true}}, {2}), PreconditionError);
  CHECK_FALSE(find_blockade(0, {}, {}).reachable);
}
