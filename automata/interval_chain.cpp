#include "assay/automata/interval_chain.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "interval_chain_row.hpp"

namespace assay::automata {

std::string grid_text(Grid value, Rounding rounding) {
  constexpr Grid kScale = 1'000'000'000'000;
  const Wide scaled = Wide{value} * kScale + (rounding == Rounding::up ? kGridOne - 1 : 0);
  const auto places = static_cast<Grid>(scaled / kGridOne);
  const std::string digits = std::to_string(places % kScale);
  return std::to_string(places / kScale) + "." + std::string(12 - digits.size(), '0') + digits;
}

void IntervalChain::add_row(std::span<const ChainEdge> row) {
  const std::string where = "row of state " + std::to_string(states());
  Wide lo = 0, hi = 0;
  for (const ChainEdge& e : row) {
    if (e.lo > e.hi || e.hi > kGridOne) {
      throw InputError(where + ": expected 0 <= lo <= hi <= 1, found another interval to state " +
                       std::to_string(e.to));
    }
    lo += e.lo;
    hi += e.hi;
    largest_target_ = std::max(largest_target_, e.to);
  }
  if (lo > kGridOne || hi < kGridOne) {
    throw InputError(where + ": expected sum of lower ends <= 1 <= sum of upper ends, found " +
                     (lo > kGridOne ? "lower ends above 1" : "upper ends below 1"));
  }
  const auto begin = static_cast<std::ptrdiff_t>(edges_.size());
  edges_.insert(edges_.end(), row.begin(), row.end());
  std::sort(edges_.begin() + begin, edges_.end(),
            [](const ChainEdge& a, const ChainEdge& b) { return a.to < b.to; });
  const auto twice =
      std::adjacent_find(edges_.begin() + begin, edges_.end(),
                         [](const ChainEdge& a, const ChainEdge& b) { return a.to == b.to; });
  if (twice != edges_.end()) {
    throw InputError(where + ": expected one edge to each state, found two to state " +
                     std::to_string(twice->to));
  }
  begin_.push_back(edges_.size());
}

void IntervalChain::require_closed() const {
  if (largest_target_ >= states()) {
    throw InputError("expected edges to states below " + std::to_string(states()) +
                     ", found one to state " + std::to_string(largest_target_));
  }
}

Grid worst_mean(std::span<const ChainEdge> row, const std::vector<Grid>& v) {
  std::vector<ChainEdge> edges(row.begin(), row.end());
  return mean_up(edges, v);
}

Grid best_mean(std::span<const ChainEdge> row, const std::vector<Grid>& v) {
  std::vector<ChainEdge> edges(row.begin(), row.end());
  return mean_down(edges, v);
}

std::optional<std::size_t> refuted_upper(const IntervalChain& chain,
                                         const std::vector<bool>& marked,
                                         const std::vector<Grid>& u) {
  require(u.size() == chain.states() && marked.size() == u.size(), "refuted_upper: other sizes");
  chain.require_closed();
  if (std::any_of(u.begin(), u.end(), [](Grid x) { return x > kGridOne; })) {
    return 0;
  }
  for (std::size_t s = 0; s < u.size(); ++s) {
    if (marked[s] ? u[s] != kGridOne : worst_mean(chain.row(s), u) > u[s]) {
      return s;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> refuted_lower(const IntervalChain& chain,
                                         const std::vector<bool>& marked,
                                         const std::vector<Grid>& l,
                                         const std::vector<std::uint32_t>& rank) {
  require(l.size() == chain.states() && marked.size() == l.size() && rank.size() == l.size(),
          "refuted_lower: other sizes");
  chain.require_closed();
  if (std::any_of(l.begin(), l.end(), [](Grid x) { return x > kGridOne; })) {
    return 0;
  }
  for (std::size_t s = 0; s < l.size(); ++s) {
    if (marked[s] || (l[s] == 0 && rank[s] == kNoRank)) {
      continue;
    }
    const bool falls = rank[s] != kNoRank && surely_enters(chain.row(s), [&](std::uint32_t t) {
                         return marked[t] || rank[t] < rank[s];
                       });
    if (!falls || best_mean(chain.row(s), l) < l[s]) {
      return s;
    }
  }
  return std::nullopt;
}

}  // namespace assay::automata
