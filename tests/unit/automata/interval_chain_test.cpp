#include "assay/automata/interval_chain.hpp"

#include "assay/automata/interval_chain_files.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

/// A chain from rows such as "1:[3/10,1/2] 2:[1/2,7/10]", the state `target` marked.
LabelledChain chain(const std::vector<std::string>& rows, std::size_t target) {
  const std::string n = std::to_string(rows.size());
  std::string text =
      "@type: DTMC\n@value_type: rational-interval\n@parameters\n\n@reward_models\n\n"
      "@nr_states\n" +
      n + "\n@nr_choices\n" + n + "\n@model\n";
  for (std::size_t s = 0; s < rows.size(); ++s) {
    text += "state " + std::to_string(s) + (s == 0 ? " init" : "") + (s == target ? " bad" : "") +
            "\n\taction 0\n\t\t";
    for (const char c : rows[s]) {
      text += c == ' ' ? std::string("\n\t\t") : c == ':' ? std::string(" : ") : std::string(1, c);
    }
    text += "\n";
  }
  return parse_drn(text, "test.drn");
}

/// Both bounds of the first state, each the premises of its theorem, against num/den.
void check_bounds(const LabelledChain& c, double lo, double hi) {
  const std::vector<bool>& bad = c.labels.at("bad");
  const ChainBound most = reach_at_most(c.chain, bad), least = reach_at_least(c.chain, bad);
  CHECK_FALSE(refuted_upper(c.chain, bad, most.value));
  CHECK_FALSE(refuted_lower(c.chain, bad, least.value, least.rank));
  const double unit = 0x1p-40;
  CHECK(static_cast<double>(most.value[0]) * unit >= hi - 1e-15);
  CHECK(static_cast<double>(most.value[0]) * unit <= hi + 1e-10);
  CHECK(static_cast<double>(least.value[0]) * unit <= lo + 1e-15);
  CHECK(static_cast<double>(least.value[0]) * unit >= lo - 1e-10);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("interval chain: published values of small models") {
  // Storm's tiny-01: [0.3, 0.5]; tiny-03: 5 + 5 P(second) is the cost, so [6.5, 8.5]
  check_bounds(chain({"1:[0.3,0.5] 2:[0.5,0.7]", "1:[1,1]", "2:[1,1]"}, 1), 0.3, 0.5);
  check_bounds(chain({"1:[3/10,7/10] 2:[3/10,7/10]", "3:1", "3:1", "3:1"}, 2), 0.3, 0.7);
  // Knuth's die with coins in [1/3, 2/3], P(F one): [9/189, 72/189]
  const std::string third = "[1/3,2/3]";
  const auto coin = [&](int a, int b) {
    return std::to_string(a) + ":" + third + " " + std::to_string(b) + ":" + third;
  };
  check_bounds(chain({coin(1, 2), coin(3, 4), coin(5, 6), coin(1, 7), coin(8, 9), coin(10, 11),
                      coin(2, 12), "7:1", "8:1", "9:1", "10:1", "11:1", "12:1"},
                     7),
               9.0 / 189, 72.0 / 189);
}

TEST_CASE("interval chain: PRISM's robot under its best strategies") {
  for (const auto& [p, q, lo, hi] :
       {std::tuple("49/100", "51/100", 0.49, 0.51), std::tuple("2/5", "3/5", 0.4, 0.6)}) {
    // east then south: Pmaxmax = q and, where p is larger, Pmaxmin = p
    const std::string cell =
        std::string("4:[") + p + "," + q + "] 2:[" + (lo == 0.4 ? "2/5,3/5]" : "49/100,51/100]");
    check_bounds(chain({"1:0.6 0:0.4", cell, "2:1", "3:1", "5:1", "5:1"}, 5), lo, hi);
    // south first: 0.1 + 0.1 p
    check_bounds(chain({"3:0.8 1:0.1 4:0.1", cell, "2:1", "3:1", "5:1", "5:1"}, 5), 0.1 + 0.1 * lo,
                 0.1 + 0.1 * hi);
  }
}

TEST_CASE("interval chain: a row without a distribution is refused by name") {
  for (const char* row : {"1:[0.2,0.4] 2:[0.1,0.5]", "1:[0.6,0.7] 2:[0.5,0.6]"}) {
    CHECK_THROWS_WITH(chain({row, "1:1", "2:1"}, 1),
                      Catch::Contains("row of state 0") && Catch::Contains("<= 1 <="));
  }
  IntervalChain c;
  CHECK_THROWS_AS(c.add_row(std::vector<ChainEdge>{{0, 5, 4}, {1, 0, kGridOne}}), InputError);
  CHECK_THROWS_AS(c.add_row(std::vector<ChainEdge>{{0, 0, kGridOne + 1}}), InputError);
  CHECK_THROWS_AS(c.add_row(std::vector<ChainEdge>{{0, 0, kGridOne}, {0, 0, kGridOne}}),
                  InputError);
  CHECK_THROWS_AS(c.add_row({}), InputError);
  // so many upper ends that 64 bits would wrap round
  c.add_row(std::vector<ChainEdge>{{7, 0, kGridOne}});
  CHECK_THROWS_WITH(c.require_closed(), Catch::Contains("state 7"));
}

TEST_CASE("interval chain: where nature may stay for ever") {
  // 0 may stay, or go to 1, which reaches bad with 1/2: at most 1/2, at least 0
  const LabelledChain c = chain({"0:[0,1] 1:[0,1]", "2:1/2 3:1/2", "2:1", "3:1"}, 2);
  const std::vector<bool>& bad = c.labels.at("bad");
  const ChainBound most = reach_at_most(c.chain, bad), least = reach_at_least(c.chain, bad);
  CHECK(most.value[0] == kGridOne / 2);
  CHECK(most.end_components == 1);
  CHECK(least.value[0] == 0);
  CHECK(least.rank[0] == kNoRank);
  // l = 1 satisfies l <= min Σ p l on the loop alone; without a rank it is no bound
  const LabelledChain loop = chain({"0:[1,1]", "1:1"}, 1);
  CHECK_FALSE(refuted_lower(loop.chain, {false, true}, {0, kGridOne}, {kNoRank, 0}));
  CHECK(refuted_lower(loop.chain, {false, true}, {kGridOne, kGridOne}, {kNoRank, 0}) == 0);
  CHECK(refuted_lower(loop.chain, {false, true}, {kGridOne, kGridOne}, {1, 0}) == 0);
  CHECK(refuted_lower(c.chain, bad, {1, kGridOne / 2, kGridOne, 0}, {2, 1, 0, kNoRank}) == 0);
  // a ranked state that does not fall is no stair either, though its own value is 0
  const LabelledChain two = chain({"1:1", "1:[0,1] 2:[0,1]", "2:1"}, 2);
  CHECK(refuted_lower(two.chain, {false, false, true}, {0, 0, kGridOne}, {2, 1, 0}) == 1);
  // two states that go round, and leave by one side only
  const LabelledChain ring =
      chain({"1:[1/2,1] 0:[0,1/2]", "0:[0,1] 2:[0,1/4] 3:[0,3/4]", "2:1", "3:1"}, 2);
  const ChainBound around = reach_at_most(ring.chain, ring.labels.at("bad"));
  CHECK_FALSE(refuted_upper(ring.chain, ring.labels.at("bad"), around.value));
  CHECK(around.value[0] == kGridOne);  // a little at a time, to 2 only
}

TEST_CASE("interval chain: within a horizon, step by step") {
  const LabelledChain c = chain({"0:[1/4,1/2] 1:[1/2,3/4]", "1:1"}, 1);
  const std::vector<bool>& bad = c.labels.at("bad");
  const std::vector<double> lo{0, 0.5, 0.75, 0.875}, hi{0, 0.75, 0.9375, 0.984375};
  for (std::size_t n = 0; n < lo.size(); ++n) {
    CHECK(reach_at_least_within(c.chain, bad, n).value[0] == static_cast<Grid>(lo[n] * 0x1p40));
    CHECK(reach_at_most_within(c.chain, bad, n).value[0] == static_cast<Grid>(hi[n] * 0x1p40));
  }
}

TEST_CASE("interval chain: a wrong upper vector is refuted where it is wrong") {
  const LabelledChain c = chain({"1:[0.3,0.5] 2:[0.5,0.7]", "1:1", "2:1"}, 1);
  const std::vector<bool>& bad = c.labels.at("bad");
  const std::vector<Grid> u = reach_at_most(c.chain, bad).value;
  CHECK_FALSE(refuted_upper(c.chain, bad, u));
  CHECK(refuted_upper(c.chain, bad, {u[0] - 1, u[1], u[2]}) == 0);
  CHECK(refuted_upper(c.chain, bad, {u[0], u[1] - 1, u[2]}) == 1);
  CHECK_FALSE(refuted_upper(c.chain, bad, {u[0] + 5, u[1], u[2]}));
  CHECK(refuted_upper(c.chain, bad, {kGridOne + 1, u[1], u[2]}));
}

TEST_CASE("interval chain: DRN and PRISM files") {
  const LabelledChain c = chain({"1:[0.25,1/2] 2:[0.5,7.5e-1]", "1:1", "2:1"}, 1);
  const LabelledChain again = parse_drn(to_drn(c), "again.drn");
  CHECK(to_drn(again) == to_drn(c));
  const PrismFiles prism = to_prism(c);
  CHECK(prism.tra == "3 4\n0 1 [0.25,0.5]\n0 2 [0.5,0.75]\n1 1 [1.0,1.0]\n2 2 [1.0,1.0]\n");
  CHECK(prism.lab == "0=\"init\" 1=\"deadlock\" 2=\"bad\"\n0: 0\n1: 2\n");
  CHECK(to_drn(parse_drn(replaced(to_drn(c), "274877906944/1099511627776", "00025/0100"),
                         "zeros.drn")) == to_drn(c));
  const std::string good = to_drn(c);
  for (const auto& [from, to, words] :
       {std::tuple("DTMC", "MDP", "@type: DTMC"),
        std::tuple("rational-interval", "parametric", "@value_type"),
        std::tuple("@nr_states\n3", "@nr_states\n4", "4 states with one choice"),
        std::tuple("@nr_states\n3", "@nr_states\n99999999", "4,000,000"),
        std::tuple("state 1", "state 7", "state 1 of 3"),
        std::tuple(" init\n", " start\n", "label init"),
        std::tuple("\t\t1 : [274877906944/", "\t\t9 : [274877906944/", "below 3"),
        std::tuple("[274877906944/", "[-274877906944/", "numbers of [0, 1]"),
        std::tuple("[274877906944/", "[nan/", "numbers of [0, 1]"),
        std::tuple("[274877906944/1099511627776", "[1/0", "numbers of [0, 1]"),
        std::tuple("action 0", "action 0\n\taction 1", "one action"),
        std::tuple("@reward_models\n", "@reward_models\ncost\n", "without parameters"),
        std::tuple("1 : [274877906944/1099511627776, 549755813888/1099511627776]", "1 : [1/2, 1/4]",
                   "lower end first"),
        std::tuple("@model", "@modal", "a header")}) {
    CHECK_THROWS_WITH(parse_drn(replaced(good, from, to), "bad.drn"), Catch::Contains(words));
  }
  CHECK_THROWS_AS(parse_drn(good.substr(0, good.size() / 2), "cut.drn"), InputError);
  CHECK_THROWS_AS(parse_drn("", "empty.drn"), InputError);
}
