#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "assay/automata/interval_chain.hpp"
#include "assay/base/errors.hpp"

namespace assay::automata {

__extension__ using Wide = unsigned __int128;

/// total + a * b; traps what does not fit into 128 bits.
inline Wide plus_product(Wide total, Grid a, Grid b) {
  Wide out = 0;
  require(!__builtin_add_overflow(total, Wide{a} * b, &out), "IntervalChain: 128 bits overflow");
  return out;
}

/// Σ p v for the p that gives as much as it can to the edges that come first.
/// @pre the row has a distribution.
inline Wide greedy_mean(std::span<const ChainEdge> ordered, const std::vector<Grid>& v) {
  Wide total = 0;
  Grid rest = kGridOne;
  for (const ChainEdge& e : ordered) {
    total = plus_product(total, e.lo, v[e.to]);
    rest -= e.lo;
  }
  for (std::size_t i = 0; rest > 0 && i < ordered.size(); ++i) {
    const Grid more = std::min(rest, ordered[i].hi - ordered[i].lo);
    total = plus_product(total, more, v[ordered[i].to]);
    rest -= more;
  }
  require(rest == 0, "IntervalChain: a row without a distribution");
  return total;
}

/// Short rows by insertion: they stay nearly sorted from one sweep to the next.
template <class Before>
void order_row(std::span<ChainEdge> row, const Before& before) {
  if (row.size() > 48) {
    if (!std::is_sorted(row.begin(), row.end(), before)) {
      std::sort(row.begin(), row.end(), before);
    }
    return;
  }
  for (std::size_t i = 1; i < row.size(); ++i) {
    const ChainEdge e = row[i];
    std::size_t j = i;
    for (; j > 0 && before(e, row[j - 1]); --j) {
      row[j] = row[j - 1];
    }
    row[j] = e;
  }
}

/// Reorders the row.
inline Grid mean_up(std::span<ChainEdge> row, const std::vector<Grid>& v) {
  order_row(row, [&v](const ChainEdge& a, const ChainEdge& b) { return v[a.to] > v[b.to]; });
  return static_cast<Grid>((greedy_mean(row, v) + (kGridOne - 1)) / kGridOne);
}
inline Grid mean_down(std::span<ChainEdge> row, const std::vector<Grid>& v) {
  order_row(row, [&v](const ChainEdge& a, const ChainEdge& b) { return v[a.to] < v[b.to]; });
  return static_cast<Grid>(greedy_mean(row, v) / kGridOne);
}

/// Whether every distribution of the row gives the targets a positive probability:
/// max(Σ lo of them, 1 − Σ hi of the others) > 0.
template <class IsTarget>
bool surely_enters(std::span<const ChainEdge> row, const IsTarget& is_target) {
  Wide inside_lo = 0, outside_hi = 0;
  for (const ChainEdge& e : row) {
    (is_target(e.to) ? inside_lo : outside_hi) += is_target(e.to) ? e.lo : e.hi;
  }
  return inside_lo > 0 || outside_hi < kGridOne;
}

}  // namespace assay::automata
