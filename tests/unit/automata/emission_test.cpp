#include <limits>

#include "assay/automata/emission.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using automata::Edge;
using automata::Emission;

namespace {

std::vector<Edge> decided(const std::string& decoder, const std::vector<double>& lo,
                          const std::vector<double>& hi) {
  std::vector<Edge> out(lo.size());
  Emission::parse(decoder).decide(lo, hi, out);
  return out;
}

constexpr Edge A = Edge::absent, O = Edge::open, W = Edge::witnessed;

}  // namespace

TEST_CASE("emission: greedy keeps ties") {
  CHECK(decided("greedy", {1, 0, 2}, {1, 0, 2}) == std::vector{A, A, W});
  CHECK(decided("greedy", {2, 0, 2}, {2, 0, 2}) == std::vector{O, A, O});
  CHECK(decided("greedy", {1, 0, 1.5}, {1.6, 0, 2}) == std::vector{O, A, O});
  CHECK(decided("greedy", {1}, {3}) == std::vector{W});
}

TEST_CASE("emission: min-p cuts at ln rho, times T when the temperature comes first") {
  const std::vector<double> l{0, -1, -1.3, -3};  // ln 0.3 = -1.204, 2 ln 0.3 = -2.408
  CHECK(decided("min-p:0.3", l, l) == std::vector{W, W, A, A});
  CHECK(decided("min-p:0.3:2", l, l) == std::vector{W, W, A, A});
  CHECK(decided("min-p:0.3:2:before", l, l) == std::vector{W, W, W, A});
  CHECK(decided("min-p:0.3", {0, -1.3}, {0, -1.1}) == std::vector{W, O});
  CHECK(decided("min-p:1", {0, 0}, {0, 0}) == std::vector{O, O});
  CHECK(Emission::parse("min-p:0.1:2:before").text() == "min-p 1/10 temperature 2 order before");
}

TEST_CASE("emission: top-k counts who is surely greater") {
  CHECK(decided("top-k:2", {1, 5, 3}, {1, 5, 3}) == std::vector{A, W, W});
  CHECK(decided("top-k:2", {3, 5, 3}, {3, 5, 3}) == std::vector{O, W, O});
  CHECK(decided("top-k:1", {1, 5, 3}, {1, 5, 5}) == std::vector{A, O, O});
  CHECK(decided("top-k:3", {1, 5, 3}, {1, 5, 3}) == std::vector{W, W, W});
  CHECK(decided("plain", {-900, 5}, {-900, 5}) == std::vector{W, W});
}

TEST_CASE("emission: NaN and empty intervals leave every token open") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* decoder : {"greedy", "min-p:0.5", "top-k:1"}) {
    CHECK(decided(decoder, {0, nan, 9}, {0, 1, 9}) == std::vector{O, O, O});
    CHECK(decided(decoder, {0, 2, 9}, {0, 1, 9}) == std::vector{O, O, O});
  }
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(decided("min-p:0.5", {-inf, 0}, {inf, 0}) == std::vector{O, O});
}

TEST_CASE("emission: what is refused") {
  for (const char* words : {"", "min-p", "min-p:0", "min-p:2", "min-p:0.1:0", "min-p:0.1:1:later",
                            "min-p:x", "top-k:0", "top-k:1.5", "top-k", "top-p:0.9", "greedy:1",
                            "repetition-penalty:1.2", "min-p:0.1:1:before:1"}) {
    INFO(words);
    CHECK_THROWS_AS(Emission::parse(words), UsageError);
  }
}
