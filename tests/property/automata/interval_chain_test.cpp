#include "assay/automata/interval_chain.hpp"

#include <algorithm>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <boost/multiprecision/cpp_int.hpp>
#pragma GCC diagnostic pop

#include "assay/base/random.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

using Ratio = boost::multiprecision::cpp_rational;
using Row = std::vector<Ratio>;  ///< [states]

Ratio exact(Grid g) {
  return Ratio(boost::multiprecision::cpp_int(g), boost::multiprecision::cpp_int(kGridOne));
}

/// Every distribution of the row's polytope with all but one entry at an end.
std::vector<Row> vertices(std::span<const ChainEdge> row, std::size_t states) {
  std::vector<Row> out;
  for (std::size_t free = 0; free < row.size(); ++free) {
    for (std::size_t ends = 0; ends < std::size_t{1} << row.size(); ++ends) {
      if ((ends >> free & 1U) != 0) {
        continue;
      }
      Row p(states, 0);
      Ratio rest = 1;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i != free) {
          p[row[i].to] = exact((ends >> i & 1U) != 0 ? row[i].hi : row[i].lo);
          rest -= p[row[i].to];
        }
      }
      p[row[free].to] = rest;
      if (rest >= exact(row[free].lo) && rest <= exact(row[free].hi) &&
          std::find(out.begin(), out.end(), p) == out.end()) {
        out.push_back(p);
      }
    }
  }
  return out;
}

/// The probability of reaching the last state from state 0, by elimination.
Ratio reach(std::vector<Row> p) {
  const std::size_t n = p.size(), bad = n - 1;
  std::vector<bool> reaches(n, false);
  reaches[bad] = true;
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t t = 0; t < n; ++t) {
        reaches[s] = reaches[s] || (reaches[t] && p[s][t] > 0);
      }
    }
  }
  std::vector<Row> a(n, Row(n + 1, 0));
  for (std::size_t s = 0; s < n; ++s) {
    a[s][s] = 1;
    if (s == bad) {
      a[s][n] = 1;
    } else if (reaches[s]) {
      for (std::size_t t = 0; t < n; ++t) {
        a[s][t] -= p[s][t];
      }
    }
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    while (a[pivot][c] == 0) {
      ++pivot;
    }
    std::swap(a[pivot], a[c]);
    for (std::size_t s = 0; s < n; ++s) {
      if (s != c && a[s][c] != 0) {
        const Ratio f = a[s][c] / a[c][c];
        for (std::size_t t = c; t <= n; ++t) {
          a[s][t] -= f * a[c][t];
        }
      }
    }
  }
  return a[0][n] / a[0][0];
}

struct Truth {
  Ratio least = 1, most = 0;
};

/// Over all memoryless choices of vertices, which attain both ends.
Truth brute_force(const IntervalChain& chain) {
  const std::size_t n = chain.states();
  std::vector<std::vector<Row>> choices;
  for (std::size_t s = 0; s < n; ++s) {
    choices.push_back(vertices(chain.row(s), n));
    REQUIRE_FALSE(choices.back().empty());
  }
  Truth out;
  std::vector<std::size_t> at(n, 0);
  for (std::size_t i = 0; i < n;) {
    std::vector<Row> p;
    for (std::size_t s = 0; s < n; ++s) {
      p.push_back(choices[s][at[s]]);
    }
    const Ratio r = reach(p);
    out.least = std::min(out.least, r);
    out.most = std::max(out.most, r);
    for (i = 0; i < n && ++at[i] == choices[i].size(); ++i) {
      at[i] = 0;
    }
  }
  return out;
}

/// Rows with zeros, ones, points and wide intervals, so that end components come up.
IntervalChain random_chain(Random& random, std::size_t n) {
  IntervalChain chain;
  while (chain.states() + 1 < n) {
    std::vector<ChainEdge> row;
    for (std::uint32_t t = 0; t < n; ++t) {
      if (random.below(3) > 0) {
        const Grid a = random.below(5) == 0 ? 0 : random.below(9) * (kGridOne / 8);
        const Grid b = random.below(4) == 0 ? a : random.below(9) * (kGridOne / 8);
        row.push_back({t, std::min(a, b), std::max(a, b)});
        row.back().lo = random.below(2) == 0 ? 0 : row.back().lo;
      }
    }
    Grid lo = 0, hi = 0;
    for (const ChainEdge& e : row) {
      lo += e.lo;
      hi += e.hi;
    }
    if (lo <= kGridOne && hi >= kGridOne) {
      chain.add_row(row);
    }
  }
  chain.add_row(std::vector<ChainEdge>{{static_cast<std::uint32_t>(n - 1), kGridOne, kGridOne}});
  return chain;
}

}  // namespace

TEST_CASE("interval chain: bounds hold every choice of nature, and meet the extreme ones") {
  Random random(20261125);
  std::size_t with_ends = 0, strict = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const std::size_t n = 2 + random.below(3);
    const IntervalChain chain = random_chain(random, n);
    std::vector<bool> bad(n, false);
    bad[n - 1] = true;
    const Truth truth = brute_force(chain);
    const ChainBound most = reach_at_most(chain, bad), least = reach_at_least(chain, bad);
    INFO("trial " << trial << " truth " << truth.least << " " << truth.most);
    CHECK(exact(most.value[0]) >= truth.most);
    CHECK(exact(least.value[0]) <= truth.least);
    CHECK(exact(most.value[0]) - truth.most < Ratio(1, 100000000));
    CHECK(truth.least - exact(least.value[0]) < Ratio(1, 100000000));
    CHECK_FALSE(refuted_upper(chain, bad, most.value));
    CHECK_FALSE(refuted_lower(chain, bad, least.value, least.rank));
    for (const std::size_t steps : {0U, 1U, 2U, 5U, 40U}) {
      CHECK(reach_at_most_within(chain, bad, steps).value[0] <= most.value[0] + steps + 1);
      CHECK(exact(reach_at_least_within(chain, bad, steps).value[0]) <= truth.least);
    }
    with_ends += most.end_components > 0 ? 1 : 0;
    strict += truth.least < truth.most ? 1 : 0;
  }
  CHECK(with_ends > 20);
  CHECK(strict > 60);
}

TEST_CASE("interval chain: a vector below the truth is always refuted") {
  Random random(7);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t n = 3 + random.below(2);
    const IntervalChain chain = random_chain(random, n);
    std::vector<bool> bad(n, false);
    bad[n - 1] = true;
    const Truth truth = brute_force(chain);
    std::vector<Grid> u = reach_at_most(chain, bad).value, l = reach_at_least(chain, bad).value;
    std::vector<std::uint32_t> rank = reach_at_least(chain, bad).rank;
    for (std::size_t s = 0; s < n; ++s) {
      u[s] = random.below(3) == 0 ? random.below(kGridOne + 1) : u[s];
      l[s] = random.below(3) == 0 ? random.below(kGridOne + 1) : l[s];
      rank[s] = random.below(4) == 0 ? static_cast<std::uint32_t>(random.below(5)) : rank[s];
    }
    CHECK((refuted_upper(chain, bad, u) || exact(u[0]) >= truth.most));
    CHECK((refuted_lower(chain, bad, l, rank) || exact(l[0]) <= truth.least));
  }
}
