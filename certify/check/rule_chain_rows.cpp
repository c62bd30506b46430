#include "rule_chain_rows.hpp"

#include <algorithm>
#include <cmath>

#include "reject.hpp"

namespace assay_check {
namespace {

__extension__ using Wide = unsigned __int128;

Wide checked_sum(Wide a, Wide b) {
  if (a > ~Wide{0} - b) {
    throw Reject("chain", "a sum does not fit into 128 bits");
  }
  return a + b;
}

/// Σ p v where what is not fixed by the lower ends goes to the edges in the order given.
Wide filled(const std::vector<const ChanceEdge*>& order, const std::vector<Units>& v) {
  Wide total = 0, spent = 0;
  for (const ChanceEdge* e : order) {
    total = checked_sum(total, Wide{e->lo} * v[e->to]);
    spent += e->lo;
  }
  if (spent > kWhole) {
    throw Reject("chain", "lower ends above 1");
  }
  auto rest = static_cast<Units>(kWhole - spent);
  for (const ChanceEdge* e : order) {
    const Units more = std::min(rest, e->hi - e->lo);
    total = checked_sum(total, Wide{more} * v[e->to]);
    rest -= more;
  }
  if (rest != 0) {
    throw Reject("chain", "upper ends below 1");
  }
  return total;
}

template <class Before>
std::vector<const ChanceEdge*> ordered(std::span<const ChanceEdge> row, const Before& before) {
  std::vector<const ChanceEdge*> order;
  order.reserve(row.size());
  for (const ChanceEdge& e : row) {
    order.push_back(&e);
  }
  std::sort(order.begin(), order.end(), before);
  return order;
}

}  // namespace

void ChanceRows::add(std::vector<ChanceEdge> row, std::string_view rule) {
  std::sort(row.begin(), row.end(),
            [](const ChanceEdge& a, const ChanceEdge& b) { return a.to < b.to; });
  Wide lo = 0, hi = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].lo > row[i].hi || row[i].hi > kWhole || (i > 0 && row[i].to == row[i - 1].to)) {
      throw Reject(std::string(rule), "not 0 <= lo <= hi <= 1, or two edges to one state");
    }
    lo += row[i].lo;
    hi += row[i].hi;
  }
  if (lo > kWhole || hi < kWhole) {
    throw Reject(std::string(rule),
                 "the row of state " + std::to_string(size()) + " has no distribution: " +
                     (lo > kWhole ? "lower ends above 1" : "upper ends below 1"));
  }
  edges_.insert(edges_.end(), row.begin(), row.end());
  begin_.push_back(edges_.size());
}

Units least_above(std::span<const ChanceEdge> row, const std::vector<Units>& v) {
  const Wide total =
      filled(ordered(row, [&v](const auto* a, const auto* b) { return v[a->to] > v[b->to]; }), v);
  return static_cast<Units>(checked_sum(total, kWhole - 1) / kWhole);
}

Units greatest_below(std::span<const ChanceEdge> row, const std::vector<Units>& v) {
  return static_cast<Units>(
      filled(ordered(row, [&v](const auto* a, const auto* b) { return v[a->to] < v[b->to]; }), v) /
      kWhole);
}

bool always_enters(std::span<const ChanceEdge> row, const std::vector<std::uint32_t>& rank,
                   std::uint32_t below) {
  Wide inside_lo = 0, outside_hi = 0;
  for (const ChanceEdge& e : row) {
    if (rank[e.to] < below) {
      inside_lo += e.lo;
    } else {
      outside_hi += e.hi;
    }
  }
  return inside_lo > 0 || outside_hi < kWhole;
}

bool is_at_most(Units k, const Fraction& p) {
  return p.num >= 0 && Wide{k} * static_cast<Units>(p.den) <= Wide{static_cast<Units>(p.num)} << 40;
}
bool is_at_least(Units k, const Fraction& p) {
  return p.num <= 0 || Wide{k} * static_cast<Units>(p.den) >= Wide{static_cast<Units>(p.num)} << 40;
}

Units units_above(double p) {
  return p < 1 ? static_cast<Units>(std::ceil(std::max(p, 0.0) * 0x1p40)) : kWhole;
}

Units parse_units(std::string_view word) {
  Units k = 0;
  bool good = !word.empty() && word.size() <= 13 && (word == "0" || word[0] != '0');
  for (const char c : word) {
    good = good && c >= '0' && c <= '9';
    k = k * 10 + static_cast<Units>(c - '0');
  }
  if (!good || k > kWhole) {
    throw Reject("lexis", "expected a number of 2^-40 of at most 2^40, found '" +
                              std::string(word.substr(0, 40)) + "'");
  }
  return k;
}

}  // namespace assay_check
