#pragma once

#include "max_of_k_count.hpp"

namespace assay::bench {

struct PooledOptions {
  std::size_t depth = 64;  ///< halvings of the outputs; 0: all rivals in one pool
  std::size_t bins = 0;    ///< grid of `count_below` for what the pools leave open; 0: not counted
};

struct Certified {
  Wide certified = 0, all = 0;
  std::uint64_t pools = 0;  ///< (query, maximum, pool) tests
  Cost cost;                ///< the tables' included
};

/// The inputs of K tokens that are proved right: the logit of the largest token strictly largest.
/// Cases: query q, maximum m, number of copies c of m. A case is proved pool by pool:
///
///   POOL   g(u) = b(q,u) (max_R V(u,.) - V(u,m) + max_R D(q,.) - D(q,m) + max_p (max_R P(p,.) - P(p,m)))
///          a(q,K) g(q) + s g(m) + (Sum_{p<K} a(q,p) - s) max_{u<m} g(u) < -room max_{u<=m} b(q,u),
///            s the sum of the c smallest a(q,p), the largest if g(m) exceeds the maximum
///            |-  l_r < l_m for every rival r of R and every input with c copies of m before q
///
/// R starts as every output but m and is halved where the test fails, so the rivals that no
/// token favours cost one test. Every rival of a single-output pool that fails is handed, with the
/// others of its (q, m), to the grid.
[[nodiscard]] Certified certify_pooled(const Tables& tables, const PooledOptions& options);

}  // namespace assay::bench
