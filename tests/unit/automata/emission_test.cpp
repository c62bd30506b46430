#include <cmath>
#include <limits>

#include "assay/automata/emission.hpp"
#include "assay/base/errors.hpp"
#include "assay/spec/spec.hpp"
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

TEST_CASE("emission: top-p keeps the token that crosses P, and ties") {
  const double a = std::log(0.5), b = std::log(0.3), c = std::log(0.2);
  const auto point = [](std::vector<double> l, const char* p) { return decided(p, l, l); };
  CHECK(point({c, a, b}, "top-p:0.6") == std::vector{A, W, W});   // 0.5 < 0.6: b crosses it
  CHECK(point({c, a, b}, "top-p:0.45") == std::vector{A, W, A});  // a alone crosses it
  CHECK(point({c, a, b}, "top-p:0.9") == std::vector{W, W, W});
  CHECK(point({c, a, b}, "top-p:1") == std::vector{W, W, W});
  CHECK(point({0, 0, -9}, "top-p:0.1") ==
        std::vector{W, W, A});  // equal: neither outranks the other
  CHECK(point({0, 0, -9}, "top-p:0.1:3") == std::vector{W, W, A});   // T comes later
  CHECK(point({0, -3}, "top-p:0.9") == std::vector{W, A});           // 0.95 without a temperature
  CHECK(point({0, -3}, "top-p:0.9:2:before") == std::vector{W, W});  // 0.82 of softmax(l/2)
  CHECK(decided("top-p:0.5", {a - 0.3, b, c}, {a + 0.3, b, c}) == std::vector{W, O, A});
  CHECK(Emission::parse("top-p:0.9").text() == "top-p 9/10 temperature 1 order after");
  CHECK(Emission::parse("top-k:3:2").text() == "top-k 3 temperature 2");
  CHECK(Emission::parse("top-k:3:2").has_idle_temperature());
  CHECK_FALSE(Emission::parse("top-p:0.9:2:before").has_idle_temperature());
}

TEST_CASE("emission: an allow-list before the cut or after it") {
  spec::Spec spec;
  spec.classes.push_back({"low", spec::TokenClass::Form::ids, {}, {TokenId(0), TokenId(2)}, {}});
  const std::vector<double> l{0, 5, 3};
  const auto masked = [&](const char* decoder, const char* allow) {
    Emission e = Emission::parse(decoder);
    e.allow(allow, spec, 3);
    std::vector<Edge> out(3);
    e.decide(l, l, out);
    return out;
  };
  CHECK(masked("greedy", "low") == std::vector{A, A, W});
  CHECK(masked("greedy", "after:low") == std::vector{A, A, A});  // nothing is left: the run ends
  CHECK(masked("top-k:2", "before:0,2") == std::vector{W, A, W});
  CHECK(masked("top-k:2", "after:0-2") == std::vector{A, W, W});
  CHECK(masked("min-p:0.1", "0-1") == std::vector{A, W, A});
  CHECK(masked("plain", "low") == std::vector{W, A, W});
  Emission e = Emission::parse("greedy");
  e.allow("after:low", spec, 3);
  CHECK(e.text() == "greedy allow after 0,2");
  for (const char* words : {"", "high", "3", "0-3", "2-1", "-1", "before:", "1,"}) {
    INFO(words);
    CHECK_THROWS_AS(e.allow(words, spec, 3), UsageError);
  }
}

TEST_CASE("emission: NaN and empty intervals leave every token open") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const char* decoder : {"greedy", "min-p:0.5", "top-k:1", "top-p:0.5"}) {
    CHECK(decided(decoder, {0, nan, 9}, {0, 1, 9}) == std::vector{O, O, O});
    CHECK(decided(decoder, {0, 2, 9}, {0, 1, 9}) == std::vector{O, O, O});
  }
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(decided("min-p:0.5", {-inf, 0}, {inf, 0}) == std::vector{O, O});
  CHECK(decided("top-p:0.5", {-inf, 0}, {inf, 0}) == std::vector{O, O});
  CHECK(decided("top-p:0.5", {-inf, 0}, {-inf, 0}) == std::vector{A, W});
  CHECK(decided("top-p:0.5", {-1e308, 0}, {1e308, 0}) == std::vector{O, O});
}

TEST_CASE("emission: what is refused") {
  for (const char* words : {"",
                            "min-p",
                            "min-p:0",
                            "min-p:2",
                            "min-p:0.1:0",
                            "min-p:0.1:1:later",
                            "min-p:x",
                            "top-k:0",
                            "top-k:1.5",
                            "top-k",
                            "top-p",
                            "top-p:0",
                            "top-p:1.1",
                            "top-p:0.9:0",
                            "top-p:0.9:1:later",
                            "greedy:0",
                            "greedy:1:1",
                            "plain:x",
                            "top-k:2:1:before",
                            "min-p:0.1:1:before:1"}) {
    INFO(words);
    CHECK_THROWS_AS(Emission::parse(words), UsageError);
  }
  CHECK_THROWS_WITH(Emission::parse("repetition-penalty:1.2"),
                    Catch::Contains("every token so far"));
  CHECK_THROWS_WITH(Emission::parse("logit-bias:3"), Catch::Contains("unembed.b_U"));
  CHECK_THROWS_WITH(Emission::parse("typical-p:0.9"), Catch::Contains("entropy"));
  CHECK_THROWS_WITH(Emission::parse("hopeful"), Catch::Contains("expected greedy"));
}
