#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "assay/automata/product.hpp"

namespace assay::automata {

struct ProductStep {
  StateId state;
  std::size_t letter = 0;  ///< in the property's own atoms
  std::uint32_t spec = 0;  ///< the spec automaton's state after the letter
};

/// What breadth-first search found. When `path` is empty, `reached` is an inductive invariant:
///
///   INV   init ⊆ I,  I closed under every edge and every letter,  I ∩ bad = ∅
///         |-  no run of the automaton has a bad prefix
struct SearchResult {
  std::vector<ProductState> reached;  ///< ascending; bad pairs are reached but not left
  std::vector<ProductStep> path;      ///< a shortest path to a bad pair, from an initial state

  [[nodiscard]] bool bad_reachable() const { return !path.empty(); }
};
[[nodiscard]] SearchResult search(const Product& product);

inline constexpr std::uint32_t kUnreachable = 0xffffffffU;

/// For every pair, the least number of further steps that may lead to bad: [Product::size()].
[[nodiscard]] std::vector<std::uint32_t> distances_to_bad(const Product& product);

}  // namespace assay::automata
