// Boxes of views against enumeration: every operation on boxes over 3 tokens and a window of 4 is what it is on
// the 120 views themselves.
#include <random>
#include <set>

#include "catch.hpp"
#include "cover.hpp"
#include "reject.hpp"

using namespace assay_check;

namespace {

constexpr std::size_t V = 3, w = 4;
using View = std::vector<std::size_t>;  ///< the current token first
using Views = std::set<View>;

Views all_views() {
  Views out;
  std::vector<View> level{{}};
  for (std::size_t n = 1; n <= w; ++n) {
    std::vector<View> next;
    for (const View& view : level) {
      for (std::size_t t = 0; t < V; ++t) {
        next.push_back(view);
        next.back().push_back(t);
      }
    }
    out.insert(next.begin(), next.end());
    level = std::move(next);
  }
  return out;
}

const Views kAll = all_views();
const BoxSpace kSpace(V, w);

bool lies_in(const View& view, const Box& box) {
  bool in = box.lo <= view.size() && view.size() <= box.hi;
  for (std::size_t j = 0; in && j < view.size(); ++j) {
    in = kSpace.has(box, j, view[j]);
  }
  return in;
}

Views views_of(const Box& box) {
  Views out;
  for (const View& view : kAll) {
    if (lies_in(view, box)) {
      out.insert(view);
    }
  }
  return out;
}

struct Random {
  std::mt19937_64 engine;
  std::size_t below(std::size_t n) { return engine() % n; }
  Box box() {
    const std::size_t lo = 1 + below(w), hi = lo + below(w + 1 - lo);
    std::vector<TokenSet> sets;
    for (std::size_t j = 0; j < w; ++j) {
      TokenSet set;
      const std::size_t mask = below(3) == 0 ? 7 : 1 + below(7);
      for (std::size_t t = 0; t < V; ++t) {
        if ((mask >> t & 1) != 0) {
          set.push_back(static_cast<std::uint32_t>(t));
        }
      }
      sets.push_back(set);
    }
    return kSpace.of(lo, hi, sets);
  }
};

/// The views that become a view of the box with the token t.
Views before(const Box& box, std::size_t t) {
  Views out;
  for (const View& view : kAll) {
    View next = view;
    next.insert(next.begin(), t);
    next.resize(std::min(next.size(), w));
    if (lies_in(next, box)) {
      out.insert(view);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("box: 120 views, and a box of all of them") {
  CHECK(kAll.size() == 120);
  const std::vector<std::string_view> words = {"lengths", "1", "any",  "sets",
                                               "1",       "*", "rest", "*"};
  const Box all = kSpace.of(parse_domain(words));
  CHECK(views_of(all) == kAll);
  CHECK(kSpace.before(all) == all);
}

TEST_CASE("box: what a domain line says is what the box holds") {
  struct Line {
    std::vector<std::string_view> words;
    std::size_t lo, hi;
    std::vector<std::set<std::size_t>> back;  ///< the sets, the current token's first
  };
  const std::set<std::size_t> all{0, 1, 2};
  for (const Line& line : std::vector<Line>{
           {{"lengths", "2", "any", "sets", "2", "0", "1-2", "rest", "0,2"},
            2,
            4,
            {{1, 2}, {0}, {0, 2}, {0, 2}}},
           {{"lengths", "1", "3", "sets", "1", "2", "rest", "*"}, 1, 3, {{2}, all, all, all}},
           {{"lengths", "4", "9", "sets", "4", "0", "1", "2", "*", "rest", "0"},
            4,
            4,
            {all, {2}, {1}, {0}}},
           {{"lengths", "3", "4", "sets", "1", "*", "rest", "1"}, 3, 4, {all, {1}, {1}, {1}}}}) {
    Views expected;
    for (const View& view : kAll) {
      bool in = line.lo <= view.size() && view.size() <= line.hi;
      for (std::size_t j = 0; in && j < view.size(); ++j) {
        in = line.back[j].contains(view[j]);
      }
      if (in) {
        expected.insert(view);
      }
    }
    CHECK(views_of(kSpace.of(parse_domain(line.words))) == expected);
  }
}

TEST_CASE("box: lines without a view or with an unknown token are refused") {
  using Words = std::vector<std::string_view>;
  for (const Words& words :
       {Words{"lengths", "5", "any", "sets", "1", "*", "rest", "*"},
        Words{"lengths", "5", "6", "sets", "1", "*", "rest", "*"},
        Words{"lengths", "0", "2", "sets", "1", "*", "rest", "*"},
        Words{"lengths", "3", "2", "sets", "1", "*", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "2", "*", "*", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "1", "3", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "1", "0-3", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "1", "1,0", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "1", "", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "0", "rest", "*"},
        Words{"lengths", "1", "2", "sets", "1", "*", "*"}, Words{"lengths", "1"}, Words{}}) {
    CHECK_THROWS_AS(kSpace.of(parse_domain(words)), Reject);
  }
}

TEST_CASE("box: before is the exact preimage, whatever the current token of the set") {
  Random random{std::mt19937_64(1)};
  std::size_t none = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const Box box = random.box();
    const Box shown = kSpace.before(box);
    none += shown.empty() ? 1 : 0;
    for (std::size_t t = 0; t < V; ++t) {
      if (kSpace.has(box, 0, t)) {
        REQUIRE(views_of(shown) == before(box, t));
      } else {
        REQUIRE(before(box, t).empty());
      }
    }
  }
  CHECK(none > 0);
}

TEST_CASE("box: parts and minus are those of the sets of views") {
  Random random{std::mt19937_64(2)};
  std::size_t apart = 0, inside = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    const Box a = random.box(), b = random.box();
    Views expected, common;
    for (const View& view : views_of(a)) {
      (lies_in(view, b) ? common : expected).insert(view);
    }
    const auto parts = kSpace.parts(a, b);
    REQUIRE(parts.has_value() == !common.empty());
    if (!parts) {
      ++apart;
      continue;
    }
    inside += *parts == 0 ? 1 : 0;
    const std::vector<Box> minus = kSpace.minus(a, b);
    REQUIRE(minus.size() == *parts);
    Views left;
    for (const Box& box : minus) {
      const Views views = views_of(box);
      REQUIRE_FALSE(views.empty());
      for (const View& view : views) {
        REQUIRE(left.insert(view).second);  // disjoint
      }
    }
    REQUIRE(left == expected);
  }
  CHECK(apart > 500);
  CHECK(inside > 50);
}

TEST_CASE("cover: equals enumeration, for single lists and through the index") {
  Random random{std::mt19937_64(3)};
  std::size_t covered = 0, open = 0;
  Cover cover(kSpace);
  for (int trial = 0; trial < 20000; ++trial) {
    const Box box = random.box();
    std::vector<Box> list;
    const std::size_t n = random.below(14);
    for (std::size_t i = 0; i < n; ++i) {
      list.push_back(random.below(8) == 0 ? kSpace.before(random.box()) : random.box());
    }
    bool expected = true, missed = true;
    for (const View& view : views_of(box)) {
      const bool in =
          std::any_of(list.begin(), list.end(), [&](const Box& b) { return lies_in(view, b); });
      expected = expected && in;
      missed = missed && !in;
    }
    BoxIndex index(kSpace);
    for (const Box& b : list) {
      index.add(b);
    }
    const std::size_t u = cover.only_token(box);
    const auto near = index.at(u), all = index.at(SIZE_MAX);
    REQUIRE(cover.covers(box, {near.begin(), near.end()}) == expected);
    REQUIRE(cover.covers(box, {all.begin(), all.end()}) == expected);
    REQUIRE(cover.misses(box, near) == missed);
    REQUIRE((!cover.holds(box, near) || expected));
    (expected ? covered : open) += 1;
  }
  CHECK(covered > 1000);
  CHECK(open > 1000);
}

TEST_CASE("cover: the missing view of a cover by all single views is found") {
  Cover cover(kSpace);
  const std::vector<std::string_view> words = {"lengths", "1", "any",  "sets",
                                               "1",       "*", "rest", "*"};
  const Box all = kSpace.of(parse_domain(words));
  std::vector<Box> single;
  for (const View& view : kAll) {
    std::vector<TokenSet> sets;
    for (const std::size_t t : view) {
      sets.push_back({static_cast<std::uint32_t>(t)});
    }
    single.push_back(kSpace.of(view.size(), view.size(), sets));
  }
  std::vector<const Box*> list;
  for (const Box& box : single) {
    list.push_back(&box);
  }
  REQUIRE(cover.covers(all, list));
  for (std::size_t i = 0; i < single.size(); ++i) {
    std::vector<const Box*> most = list;
    most.erase(most.begin() + static_cast<std::ptrdiff_t>(i));
    REQUIRE_FALSE(cover.covers(all, most));
  }
}
