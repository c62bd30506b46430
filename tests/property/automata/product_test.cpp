#include <algorithm>
#include <set>

#include "assay/automata/search.hpp"
#include "catch.hpp"
#include "random_automaton.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

/// The second, dumber program: every path of at most `depth` states, every letter. The length
/// of the shortest path that reaches bad, or 0.
std::size_t shortest_bad(const FittedAutomaton& a, const spec::Dfa& dfa, std::size_t depth) {
  std::set<std::pair<std::size_t, std::uint32_t>> layer;
  const auto enter = [&](auto& into, std::size_t s, std::uint32_t q) {
    for (std::uint64_t all = 0; all < 8; ++all) {
      if ((all & a.states[s].must) == a.states[s].must && (all & ~a.states[s].may) == 0) {
        into.emplace(s, dfa.next(q, dfa.project(all)));
      }
    }
  };
  for (const auto& [s, n] : a.initial) {
    enter(layer, s.at(), 0);
  }
  for (std::size_t length = 1; length <= depth; ++length) {
    if (std::any_of(layer.begin(), layer.end(), [&](const auto& p) { return dfa.bad[p.second]; })) {
      return length;
    }
    decltype(layer) following;
    for (const auto& [s, q] : layer) {
      for (const FittedEdge& e : a.edges) {
        if (e.from.at() == s) {
          enter(following, e.to.at(), q);
        }
      }
    }
    layer = std::move(following);
  }
  return 0;
}

/// Every pair that a run enters, by the definition.
std::set<ProductState> reachable(const Product& p) {
  std::set<ProductState> out;
  std::vector<ProductState> open;
  const auto enter = [&](StateId to, std::uint32_t q) {
    for (const std::size_t letter : p.letters[to.at()]) {
      if (out.insert({to, p.dfa->next(q, letter)}).second) {
        open.push_back({to, p.dfa->next(q, letter)});
      }
    }
  };
  for (const auto& [s, n] : p.automaton->initial) {
    enter(s, 0);
  }
  while (!open.empty()) {
    const ProductState at = open.back();
    open.pop_back();
    for (const StateId to : p.after[at.state.at()]) {
      enter(to, at.spec);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("INV: the invariant is what can be reached, whatever the size of the monitor") {
  Random random(12);
  std::size_t small = 0, large = 0;
  for (int n = 0; n < 120; ++n) {
    const FittedAutomaton a = test::random_automaton(random, 1 + random.below(8));
    const std::string k =
        std::to_string(random.below(3) == 0 ? 40 + random.below(60) : random.below(20));
    // at most one letter of three atoms is bad, so that much of it holds
    const spec::Dfa dfa =
        spec::bad_prefix_dfa(test::parsed("G(a -> X G[0:" + k + "] !(a & b & c))"));
    const Product product = make_product(a, dfa);
    const SearchResult found = search(product);
    if (found.bad_reachable()) {
      continue;
    }
    const std::set<ProductState> want = reachable(product);
    REQUIRE(std::vector<ProductState>(want.begin(), want.end()) == found.reached);
    ++(dfa.states > 64 ? large : small);
  }
  CHECK(small > 10);
  CHECK(large > 3);
}

TEST_CASE(
    "INV: verdict and shortest path equal the enumeration of paths; the invariant is inductive") {
  Random random(11);
  std::size_t holds = 0;
  std::size_t fails = 0;
  for (int n = 0; n < 300; ++n) {
    const FittedAutomaton a = test::random_automaton(random, 1 + random.below(5));
    const spec::Dfa dfa = spec::bad_prefix_dfa(test::parsed(test::kFormulas[n % 10]));
    const Product product = make_product(a, dfa);
    const SearchResult found = search(product);
    const std::size_t length = shortest_bad(a, dfa, a.states.size() * dfa.states + 1);
    REQUIRE(found.path.size() == length);
    (length == 0 ? holds : fails) += 1;
    if (length > 0) {
      std::uint32_t q = 0;
      for (const ProductStep& step : found.path) {
        q = dfa.next(q, step.letter);
        REQUIRE(q == step.spec);
      }
      REQUIRE(dfa.bad[q]);
      const auto distances = distances_to_bad(product);
      REQUIRE(distances[product.index(found.path[0].state, found.path[0].spec)] + 1 == length);
      continue;
    }
    const std::set<ProductState> inside(found.reached.begin(), found.reached.end());
    for (const auto& [s, c] : a.initial) {
      for (const std::size_t letter : product.letters[s.at()]) {
        REQUIRE(inside.count({s, dfa.next(0, letter)}) == 1);
      }
    }
    for (const ProductState& p : found.reached) {
      REQUIRE_FALSE(dfa.bad[p.spec]);
      for (const FittedEdge& e : a.edges) {
        if (e.from == p.state) {
          for (const std::size_t letter : product.letters[e.to.at()]) {
            REQUIRE(inside.count({e.to, dfa.next(p.spec, letter)}) == 1);
          }
        }
      }
    }
  }
  REQUIRE(holds > 50);
  REQUIRE(fails > 50);
}
