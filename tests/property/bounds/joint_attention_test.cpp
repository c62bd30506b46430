#include <algorithm>
#include <catch.hpp>
#include <cmath>

#include "../../../src/bounds/domain_work.hpp"
#include "family_model.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Direction6 {
  std::vector<Interval> g;
  std::vector<Ball> nu;
};

Direction6 random_direction(const ReadyCase& ready, Random& r) {
  Direction6 out;
  for (std::size_t i = 0; i < ready.places().net().d; ++i) {
    out.g.emplace_back((2 * r.unit() - 1));
  }
  for (std::size_t h = 0; h < ready.places().net().heads; ++h) {
    out.nu.push_back(ready.places().along(h, to_direction(out.g)));
  }
  return out;
}

/// sum_h <g, out_h> in every context of the case, to the nearest: the largest.
double truth(const ReadyCase& ready, const Direction6& direction) {
  double best = -kInf;
  std::vector<std::size_t> digit(ready.most_keys(), 0);
  for (std::size_t n = ready.fewest_keys(); n <= ready.most_keys(); ++n) {
    std::fill(digit.begin(), digit.end(), 0);
    for (bool is_done = false; !is_done;) {
      double value = 0;
      for (std::size_t h = 0; h < direction.nu.size(); ++h) {
        double mass = 0;
        double moment = 0;
        for (std::size_t j = 0; j < n; ++j) {
          const ReadyCase::Group& group = ready.group(j);
          const double w = ready.slot_factor(j, h) * group.mid[h][digit[j]];
          mass += w;
          moment += w * direction.nu[h].mid.data()[group.rows[digit[j]]];
        }
        value += moment / mass;
      }
      best = std::max(best, value);
      std::size_t j = 0;
      while (j < n && ++digit[j] == ready.group(j).rows.size()) {
        digit[j++] = 0;
      }
      is_done = j == n;
    }
  }
  return best;
}

std::vector<std::uint32_t> some_tokens(Random& r, std::size_t V) {
  std::vector<std::uint32_t> set;
  for (std::uint32_t u = 0; u < V; ++u) {
    if (r.below(3) != 0) {
      set.push_back(u);
    }
  }
  return set.empty() ? std::vector<std::uint32_t>{static_cast<std::uint32_t>(r.below(V))} : set;
}

}  // namespace

TEST_CASE(
    "ATTN-JOINT holds in every context for any numbers, and never proves less than the heads apart",
    "[property]") {
  std::size_t better = 0;
  std::size_t exact = 0;
  std::uint64_t seed = 7000;
  for (const fixture::Family& family : fixture::families()) {
    for (int round = 0; round < 24; ++round, ++seed) {
      CAPTURE(family.name, seed);
      Random r(seed);
      const Transformer m = fixture::family_model(family, seed, 5, round % 3 == 2 ? 4.0 : 1.0);
      const Network net(m);
      const auto query = static_cast<std::uint32_t>(r.below(5));
      const bool is_suffix = family.positions != PosKind::standard && round % 2 == 0;
      std::vector<std::vector<std::uint32_t>> sets;
      for (std::size_t p = 0; p < 2 + r.below(3); ++p) {
        sets.push_back(some_tokens(r, 5));
      }
      if (round % 4 == 1) {  // one position free
        for (std::size_t p = 0; p + 1 < sets.size(); ++p) {
          sets[p].resize(1);
        }
      }
      sets.push_back({query});
      DomainWork domain(net, is_suffix ? suffix_domain(m, {query}, 4) : fixed_domain(sets));
      const std::shared_ptr<CaseWork> work = domain.work(domain.root());
      const ReadyCase& ready = work->ready();
      const Direction6 direction = random_direction(ready, r);
      const double largest = truth(ready, direction);
      const HeadsBound apart = bound_heads(ready, nullptr, direction.nu, {});
      CHECK(apart.hi >= largest - 1e-9);
      const JointAttention* joint = work->joint();
      if (joint == nullptr) {
        continue;
      }
      for (int draw = 0; draw < 20; ++draw) {
        HeadNumbers any;
        for (std::size_t h = 0; h < net.heads; ++h) {
          any.L.push_back((2 * r.unit() - 1));
          for (std::size_t j = 0; j < joint->most_keys(); ++j) {
            any.theta.push_back((2 * r.unit() - 1));
          }
        }
        CHECK(joint->proved(direction.nu, any) >= largest - 1e-9);
      }
      std::vector<double> L;
      for (const CaseMaximum& top : apart.maxima) {
        L.push_back(top.L);
      }
      const JointAttention::Values values = joint->gather(direction.nu);
      const double same = joint->proved(direction.nu, joint->from_apart(values, L));
      if (round % 3 !=
          2) {  // scores of ordinary size: weights known to 2^-32 cost no more than this
        CHECK(same <= apart.hi + 1e-5 * (1 + std::fabs(apart.hi)));
      }
      CHECK(same >= largest - 1e-9);
      const HeadsBound both = bound_heads(ready, joint, direction.nu, {64, 30});
      CHECK(both.hi >= largest - 1e-9);
      if (joint->free_slots() <= 1 && joint->is_one_length()) {
        const bool is_exact = both.hi <= largest + 1e-6 * (1 + std::fabs(largest));
        CHECK((is_exact || round % 3 == 2));
        exact += is_exact ? 1 : 0;
      }
      CHECK(both.hi <= apart.hi + 1e-6 * (1 + std::fabs(largest)));
      better += both.hi < apart.hi - 1e-3 * (apart.hi - largest) ? 1 : 0;
    }
  }
  WARN("tighter in " << better << " cases, exact in " << exact);
  CHECK(better > 100);
  CHECK(exact > 50);
}

TEST_CASE("ATTN-JOINT refuses what a double cannot hold", "[property]") {
  const Transformer m = fixture::family_model(fixture::families()[0], 5, 4);
  const Network net(m);
  DomainWork domain(net, fixed_domain({{0, 1, 2}, {0, 3}, {1}}));
  const std::shared_ptr<CaseWork> work = domain.work(domain.root());
  Random r(5);
  Direction6 direction = random_direction(work->ready(), r);
  const JointAttention* joint = work->joint();
  REQUIRE(joint != nullptr);
  const std::size_t numbers = net.heads * joint->most_keys();
  for (const double bad : {std::nan(""), kInf, -kInf, 1e308, -1e308}) {
    HeadNumbers at{std::vector<double>(net.heads, 0.0), std::vector<double>(numbers, 0.0)};
    at.L[1] = bad;
    CHECK(joint->proved(direction.nu, at) == kInf);
    at.L[1] = 0;
    at.theta[2] = bad;
    CHECK(joint->proved(direction.nu, at) >= truth(work->ready(), direction));
  }
  direction.nu[0].mid(0, 0) = std::nan("");
  direction.nu[0].mid(1, 0) = std::nan("");
  direction.nu[0].mid(2, 0) = std::nan("");
  const HeadNumbers at{std::vector<double>(net.heads, 0.0), std::vector<double>(numbers, 0.0)};
  CHECK(joint->proved(direction.nu, at) == kInf);
}
